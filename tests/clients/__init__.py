"""Clients that people already have, as installed from the index: `make clients`.

Each runs in an environment of its own, as their requirements are heavy and do not agree. A client
is a module ``<client>.py``, run with a server's port and told on standard input which wines to ask
about and what to expect, and its requirements, ``<client>.txt``. It fails by raising.
"""
