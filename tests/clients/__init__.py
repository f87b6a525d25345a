"""Tests of third-party clients, unmodified, as installed from the package index: `make clients`.

Each client is a script ``<client>.py`` with its requirements in ``<client>.txt``. It runs in its
own environment, because the requirements conflict. It gets the server's port as its argument and
the samples with the expected predictions as JSON on standard input, and fails by raising.
"""
