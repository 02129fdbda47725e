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
plt.plot(x,x)
plt.title('L')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('line_1.pdf', bbox_inches='tight')
