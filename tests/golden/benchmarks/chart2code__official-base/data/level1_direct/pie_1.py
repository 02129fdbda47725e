import matplotlib.pyplot as plt
import numpy as np
plt.pie([3,2],labels=['x','y'],colors=['gold','silver'],autopct='%1.0f%%')
plt.title('Pie')