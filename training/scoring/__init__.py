"""Score a file: ``python -m training score``."""
