"""``GET /``: a page to try the live model and to see how good it is."""
