"""Files that a stack scores: ``python -m training jobs``."""
