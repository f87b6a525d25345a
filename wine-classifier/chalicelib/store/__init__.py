"""The model store: objects on S3 or in a folder, and the live model."""
