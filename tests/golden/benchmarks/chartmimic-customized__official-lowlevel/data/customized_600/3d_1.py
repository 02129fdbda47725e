# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
X,Y=np.meshgrid(np.arange(4),np.arange(4))
Z=X*Y
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig=plt.figure(figsize=(4,3))
ax=fig.add_subplot(111,projection='3d')
ax.plot_surface(X,Y,Z,cmap='viridis')
ax.scatter([1,2],[1,2],[3,4],color='red')
ax.plot([0,1],[0,1],[0,1],color='#00aa00')
ax.set_title('Surface')
ax.set_zticks([])
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('3d_1.pdf', bbox_inches='tight')
