"""Drift: the training distribution of a model, and how far served rows are from it."""
