"""Samples as sent: the signature, parsing, and the problems found."""
