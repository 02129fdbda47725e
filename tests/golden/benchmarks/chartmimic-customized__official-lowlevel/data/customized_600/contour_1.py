# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
X,Y=np.meshgrid(np.arange(5),np.arange(5))
Z=X**2+Y
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(4,3))
c=ax.contourf(X,Y,Z,cmap='viridis')
ax.contour(X,Y,Z,colors='black')
fig.colorbar(c,ax=ax,label='height')
ax.set_xlabel('x')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('contour_1.pdf', bbox_inches='tight')
