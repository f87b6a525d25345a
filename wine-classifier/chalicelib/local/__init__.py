"""``chalice local`` only; not in the package."""
