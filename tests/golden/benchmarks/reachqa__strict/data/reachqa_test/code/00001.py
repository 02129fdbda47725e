import matplotlib.pyplot as plt

fig, ax = plt.subplots()
ax.bar(['A', 'B'], [3, 5], color='teal')
ax.set_title('Boxes')
plt.savefig('00001.png')
