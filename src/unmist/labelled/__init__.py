"""Labelled rows: reading them, asking a model about them, and what n-grams make of them."""
