# ===================
# Part 1: Importing Libraries
# ===================
import matplotlib.pyplot as plt
import numpy as np; np.random.seed(0)
import networkx as nx

# ===================
# Part 2: Data Preparation
# ===================
E=[(0,1),(1,2)]
# ===================
# Part 3: Plot Configuration and Rendering
# ===================
G=nx.DiGraph(E)
pos={0:(0,0),1:(1,0),2:(0,1)}
fig,ax=plt.subplots(figsize=(3,3))
nx.draw(G,pos,ax=ax,node_color='#e377c2',with_labels=True,edge_color='grey')
# ===================
# Part 4: Saving Output
# ===================
plt.tight_layout()
plt.savefig('graph_1.pdf', bbox_inches='tight')
