"""The worked example: scikit-learn's wine data."""
