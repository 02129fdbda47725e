import matplotlib.pyplot as plt
import numpy as np
x=np.arange(4)
plt.plot(x,x**2,'r--',lw=2,label='sq')
plt.plot(x,x,marker='o')
plt.legend(loc='upper left')
plt.xlim(0,3)