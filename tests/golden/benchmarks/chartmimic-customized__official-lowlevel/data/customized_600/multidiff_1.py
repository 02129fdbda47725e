# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
x=[1,2]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig=plt.figure(figsize=(5,4))
gs=fig.add_gridspec(2,2)
fig.add_subplot(gs[0,:]).plot(x,x)
fig.add_subplot(gs[1,0]).bar(x,x)
fig.add_subplot(gs[1,1]).pie([1,2],labels=['p','q'])
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('multidiff_1.pdf', bbox_inches='tight')
