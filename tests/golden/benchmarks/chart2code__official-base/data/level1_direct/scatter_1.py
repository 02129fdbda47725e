import matplotlib.pyplot as plt
import numpy as np
np.random.seed(0)
plt.scatter([1,2,3],[3,2,1],s=50,c='purple')
plt.scatter([1,2,3],[1,2,3],c=[1,2,3],cmap='viridis')
plt.text(1,1,'low',color='grey')