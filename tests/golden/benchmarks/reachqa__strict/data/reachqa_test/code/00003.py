import matplotlib.pyplot as plt

plt.scatter([1, 2], [2, 1])
plt.xlabel('time')
plt.savefig('00003.png')
