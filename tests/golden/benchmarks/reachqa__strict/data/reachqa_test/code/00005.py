import matplotlib.pyplot as plt

plt.hist([1, 1, 2])
plt.savefig('00005.png')
