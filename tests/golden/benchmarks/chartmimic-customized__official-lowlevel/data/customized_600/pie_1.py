# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
v=[1,2]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
plt.pie(v,labels=['x','y'])
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('pie_1.pdf', bbox_inches='tight')
