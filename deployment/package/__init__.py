"""The contents of the deployment package."""
