# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
x=[1,2,3]
y=[1,4,9]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(4,3))
ax.scatter(x,y,c=y,cmap='coolwarm')
ax.plot(x,y,'k--',label='trend')
ax.annotate('top',(3,9))
ax2=ax.twinx()
ax2.step(x,y,color='#ff00ff')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('scatter_1.pdf', bbox_inches='tight')
