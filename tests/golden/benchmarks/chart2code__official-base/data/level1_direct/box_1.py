import matplotlib.pyplot as plt
import numpy as np
plt.boxplot([[1,2,3],[2,3,4]],patch_artist=True)
plt.grid(axis='y')