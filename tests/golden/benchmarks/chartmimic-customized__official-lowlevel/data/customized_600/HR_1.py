# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)
from matplotlib_venn import venn2

# ===================
# Part 2: Data Preparation
# ===================
sets=(10,8,3)
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,ax=plt.subplots(figsize=(3,3))
venn2(subsets=sets,set_labels=('Cats','Dogs'))
plt.title('Pets')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('HR_1.pdf', bbox_inches='tight')
