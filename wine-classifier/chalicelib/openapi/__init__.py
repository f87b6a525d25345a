"""Descriptions of the live model and of the API."""
