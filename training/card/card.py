"""Make the card of a version, and write it to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from training.card.document import write_document
from training.card.evidence import Evidence
from training.card.pictures import Picture, draw


class Card(NamedTuple):
    """A model card.

    Parameters
    ----------
    html : str
        One file, with the pictures inside.
    pictures : list of Picture
        The pictures alone.
    """

    html: str
    pictures: list[Picture]


def make_card(
    manifest: dict[str, Any], evidence: Evidence | None = None, *, show_rows: bool = False
) -> Card:
    """Make the card of a version from its manifest and, for most of the pictures, evidence.

    With `show_rows` the most confident mistakes have their values, except of private features.
    """
    pictures = draw(manifest, evidence)
    return Card(write_document(manifest, pictures, evidence, show_rows=show_rows), pictures)


def write_card(card: Card, path: Path) -> list[Path]:
    """Write a card to an HTML file, and its pictures beside it; return the paths."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(card.html, encoding="utf-8")
    paths = [path]
    for picture in card.pictures:
        paths.append(path.with_name(f"{path.stem}-{picture.name}.png"))
        paths[-1].write_bytes(picture.png)
    return paths
