# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
d=[[1,2,3,4],[2,3,5,6]]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(4,3))
v=ax.violinplot(d,showmeans=True)
for b in v['bodies']:
    b.set_facecolor('purple')
ax.set_title('Two\nviolins')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('violin_1.pdf', bbox_inches='tight')
