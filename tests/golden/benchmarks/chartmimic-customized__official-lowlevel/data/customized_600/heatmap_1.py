# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
m=np.arange(4).reshape(2,2)
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(3,3))
im=ax.imshow(m,cmap='Blues')
for i in range(2):
    for j in range(2):
        ax.text(j,i,m[i,j],ha='center')
ax.set_xticks([0,1],labels=['a','b'])
fig.colorbar(im)
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('heatmap_1.pdf', bbox_inches='tight')
