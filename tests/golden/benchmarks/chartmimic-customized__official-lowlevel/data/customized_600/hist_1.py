# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
a=[1,2,2,3]
b=[2,3,3,4]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(4,3))
ax.hist([a,b],bins=4,color=['#4c72b0','#dd8452'],label=['A','B'])
ax.legend()
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('hist_1.pdf', bbox_inches='tight')
