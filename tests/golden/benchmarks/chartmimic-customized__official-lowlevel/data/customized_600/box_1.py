# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
d=[[1,2,3],[2,3,5]]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(4,3))
bp=ax.boxplot(d,patch_artist=True)
for p,c in zip(bp['boxes'],['pink','lightblue']):
    p.set_facecolor(c)
ax.set_ylabel('Score')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('box_1.pdf', bbox_inches='tight')
