import matplotlib.pyplot as plt
import numpy as np
fig,axs=plt.subplots(2,2,figsize=(6,4))
axs[0,0].imshow(np.eye(2))
axs[0,1].pcolormesh(np.eye(2))
axs[1,0].fill([0,1,1],[0,0,1],'c')
axs[1,1].plot([1,2],[3,4])
fig.suptitle('Four')