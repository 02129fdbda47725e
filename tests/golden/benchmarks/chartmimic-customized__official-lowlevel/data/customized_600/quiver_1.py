# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
x=np.arange(3)
u=[1,0,-1]
v=[0,1,1]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(3,3))
ax.quiver(x,x,u,v,color='navy')
ax.set_title('Flow')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('quiver_1.pdf', bbox_inches='tight')
