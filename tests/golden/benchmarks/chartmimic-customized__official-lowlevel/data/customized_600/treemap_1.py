# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)
import squarify

# ===================
# Part 2: Data Preparation
# ===================
s=[5,3,2]
l=['a','b','c']
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(3,3))
squarify.plot(sizes=s,label=l,color=['#ff9999','#66b3ff','#99ff99'],ax=ax)
ax.axis('off')
ax.set_title('Tree')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('treemap_1.pdf', bbox_inches='tight')
