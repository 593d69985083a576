"""Training, behind the extra ``unmist[train]``: nothing on the floors below imports this."""
