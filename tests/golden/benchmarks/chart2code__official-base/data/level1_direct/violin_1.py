import matplotlib.pyplot as plt
import numpy as np
plt.violinplot([[1,2,3],[2,3,4]])