# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
t=np.linspace(0,6,5)
r=[1,2,3,2,1]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(3,3),subplot_kw={'projection':'polar'})
ax.plot(t,r,color='#1f77b4')
ax.fill(t,r,color='#1f77b4',alpha=.3)
ax.scatter(t,r,color='#d62728')
ax.set_title('Radar')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('radar_1.pdf', bbox_inches='tight')
