"""Wire formats: requests to samples, predictions to responses."""
