# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
k=['a','b']
v=[1,2]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
plt.bar(k,v,color='C1',hatch='/')
plt.broken_barh([(0,.5)],(0,1),facecolors='tab:red')
plt.hlines([1],0,1,colors='C2')
plt.fill([0,1,1],[0,0,1],color='#12345680')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('bar_1.pdf', bbox_inches='tight')
