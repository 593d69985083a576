"""Ours and other people's models on the same rows of the same tasks. Needs ``unmist[train]``."""
