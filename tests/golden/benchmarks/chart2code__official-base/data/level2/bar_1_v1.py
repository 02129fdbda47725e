import matplotlib.pyplot as plt
import numpy as np
fig,ax=plt.subplots(figsize=(5,3))
ax.bar(['a','b','c'],[1,2,3],color=['#ff0000','#00ff00','#0000ff'],label='n')
ax.set_title('Bars')
ax.set_xlabel('kind')
ax.grid(True)
ax.legend()
plt.savefig('x.png')