"""Which files serving never opens: they are not shipped.

Not by guessing: the tests run the package that is left on the Lambda runtime emulator, and
`docs/decisions/lean-package.md` says why they may go.
"""

from __future__ import annotations

import re
from pathlib import Path

# Regular expressions on a file's path from the package's root.
EVERYWHERE = [
    r"(.*/)?tests?/.*",
    r".*\.(pyi|h|hpp|c|cpp|pyx|pxd|a|lib|rs|md|cmake|pc)",
    r"(.*/)?py\.typed",
    r"(.*/)?__pycache__/.*",
    # What installed it and what it consisted of; its name, version and licences stay.
    r"[^/]+\.dist-info/(?!METADATA$|licenses/|LICENSE).*",
    r"bin/.*",
]
ONNX_RUNTIME = [
    # All but the C library and the licences: serving needs no Python of it. Its extension module
    # holds a second copy of the library.
    r"onnxruntime/(?!LICENSE|ThirdPartyNotices|capi/libonnxruntime\.so\.\d).*",
    # For its Python package and its tools.
    r"(numpy|numpy\.libs|flatbuffers|google|packaging)/.*",
    r"(numpy|flatbuffers|protobuf|packaging)-[^/]+\.dist-info/.*",
]
OBSTORE = [r"obstore/(fsspec\.py|auth/.*)"]

RULES = {
    "onnx": EVERYWHERE + ONNX_RUNTIME + OBSTORE,
    # SciPy and scikit-learn import much of NumPy, and skops imports packaging.
    "sklearn": [*EVERYWHERE, *OBSTORE],
}


def prune(folder: Path, runtime: str) -> None:
    """Remove what serving never opens.

    Parameters
    ----------
    folder : Path
        An unpacked package.
    runtime : str
        What it runs models with.
    """
    rules = re.compile("|".join(f"(?:{rule})" for rule in RULES[runtime]))
    for path in sorted(folder.rglob("*"), reverse=True):  # files before the folders they are in
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif rules.fullmatch(path.relative_to(folder).as_posix()):
            path.unlink()
