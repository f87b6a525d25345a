"""How good a classifier is, and which features it needs."""
