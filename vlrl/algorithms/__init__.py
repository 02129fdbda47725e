"""Pure tensor functions: rewards to advantages, log-probabilities to a loss. Imports torch and nothing of vlrl."""
