"""The licences of all that ships; no request opens them."""

from __future__ import annotations

import re
import shutil
from importlib.metadata import distribution
from pathlib import Path

from deployment.errors import PackagingError

ROOT = Path(__file__).parent.parent.parent
_MIT = Path(__file__).parent / "mit-license.txt"
# The copyright holders of wheels that declare the MIT licence and do not contain it.
_MIT_HOLDERS = {"obstore": "Development Seed"}
_NAME = re.compile(r"(LICEN[CS]E|COPYING)", re.IGNORECASE)


def add_licences(folder: Path) -> None:
    """Add the licences of the app, of Chalice and of wheels without one to an unpacked package.

    Raises `PackagingError` for a distribution that still has none.
    """
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    for file in distribution("chalice").files or []:
        if file.name in ("LICENSE", "NOTICE"):
            shutil.copyfile(str(file.locate()), folder / "chalice" / file.name)
    for name, holder in _MIT_HOLDERS.items():
        if (folder / name).is_dir():
            (folder / name / "LICENSE").write_text(_MIT.read_text().format(holder=holder))
    for record in folder.glob("*.dist-info"):
        name = record.name.partition("-")[0]
        places = [record, folder / name]
        if not any(_NAME.match(path.name) for place in places for path in place.rglob("*")):
            raise PackagingError(f"The licence of {name} is missing: add it in {__name__}.")
