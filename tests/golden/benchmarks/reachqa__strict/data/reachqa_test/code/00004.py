import matplotlib.pyplot as plt

plt.pie([1, 2], labels=['x', 'y'])
plt.savefig('00004.png')
