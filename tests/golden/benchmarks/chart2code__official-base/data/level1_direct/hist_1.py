import matplotlib.pyplot as plt
import numpy as np
plt.hist([1,2,2,3,3,3],bins=3,color='teal',edgecolor='black')
plt.ylabel('count')