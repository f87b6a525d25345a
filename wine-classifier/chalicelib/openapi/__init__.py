"""The description of the API and of the live model."""
