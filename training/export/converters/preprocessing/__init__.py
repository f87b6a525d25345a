"""Transformers: sklearn.preprocessing."""
