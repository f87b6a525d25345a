"""Single changes to the code that the tests must notice: `make mutants`.

The changes are cosmic-ray's, made in an environment of its own. Its runner, and mutmut's, start
pytest for each change, which takes seconds of imports; the one here forks a process that has
imported the libraries.
"""
