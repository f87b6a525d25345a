"""Model cards: one HTML file with pictures that show how good a model is.

They need matplotlib, which nothing else in `training` imports.
"""

from importlib.util import find_spec

from training.errors import MissingLibrary


def require_matplotlib(subject: str = "A model card") -> None:
    """Raise `MissingLibrary` if there is no matplotlib; call it before importing from here."""
    if find_spec("matplotlib") is None:
        raise MissingLibrary(subject, "matplotlib")
