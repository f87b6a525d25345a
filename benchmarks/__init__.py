"""`make bench`: compare this project's function with other ways to serve the model."""
