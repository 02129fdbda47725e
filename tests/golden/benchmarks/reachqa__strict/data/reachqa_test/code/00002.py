import matplotlib.pyplot as plt

plt.plot([1, 2, 3], [2, 1, 3], label='run')
plt.legend()
plt.savefig('00002.png')
