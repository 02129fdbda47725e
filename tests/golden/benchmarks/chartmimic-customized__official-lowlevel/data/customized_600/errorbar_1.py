# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)

# ===================
# Part 2: Data Preparation
# ===================
x=[1,2,3]
y=[2,4,3]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
fig,(a,b)=plt.subplots(1,2,figsize=(5,3))
a.errorbar(x,y,yerr=.3,xerr=.1,capsize=3,color='green')
b.bar(x,y,yerr=.2,color='grey')
b.axvspan(1,2,color='yellow',alpha=.2)
b.set_yscale('log')
fig.suptitle('Both')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('errorbar_1.pdf', bbox_inches='tight')
