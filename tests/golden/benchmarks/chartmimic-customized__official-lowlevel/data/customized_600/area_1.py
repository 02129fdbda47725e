# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
x=[1,2,3]
y=[[1,2,1],[2,1,2]]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(4,3))
ax.stackplot(x,*y,colors=['#aaffaa','#ffaaaa'],labels=['up','down'])
ax.legend(loc='upper left')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('area_1.pdf', bbox_inches='tight')
