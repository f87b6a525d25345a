"""Training data: tables, files, and the signature inferred from them."""
