"""Remove the files that serving never opens.

The end-to-end tests run the pruned package on the Lambda runtime emulator;
`docs/decisions/lean-package.md` gives the reasons.
"""

from __future__ import annotations

import re
from pathlib import Path

# Regular expressions for paths relative to the package's root.
EVERY_RUNTIME = [
    r"chalicelib/local/.*",  # for `chalice local`; app.py never imports it on Lambda
    r"(.*/)?tests?/.*",
    r"(?!(.*/)?(LICEN[CS]E|COPYING|NOTICE)[^/]*$).*\.(pyi|h|hpp|c|cpp|pyx|pxd|a|lib|rs|md|cmake|pc)",
    r"(.*/)?py\.typed",
    r"(.*/)?__pycache__/.*",
    # Installers' records. The name, the version and the licences stay.
    r"[^/]+\.dist-info/(?!METADATA$|licenses/|LICENSE|COPYING|NOTICE).*",
    r"bin/.*",
]
ONNX_RUNTIME = [
    # All but the C library and the licences: serving calls the C API only. The Python extension
    # contains a second copy of the library.
    r"onnxruntime/(?!LICENSE|ThirdPartyNotices|capi/libonnxruntime\.so\.\d).*",
    # Dependencies of ONNX Runtime's Python package and tools.
    r"(numpy|numpy\.libs|flatbuffers|google|packaging)/.*",
    r"(numpy|flatbuffers|protobuf|packaging)-[^/]+\.dist-info/.*",
]
BULK = [r"chalicelib/bulk/.*"]  # the function that scores files
OBSTORE = [r"obstore/(fsspec\.py|auth/.*)"]

PATTERNS = {
    "onnx": EVERY_RUNTIME + ONNX_RUNTIME + OBSTORE,
    # Keeps NumPy and packaging: SciPy, scikit-learn and skops import them.
    "sklearn": EVERY_RUNTIME + OBSTORE,
}


def prune(folder: Path, runtime: str, *, bulk: bool = False) -> None:
    """Remove from an unpacked package the files that serving with this runtime never opens.

    Those of the function that scores files stay if the stack has it.
    """
    patterns = PATTERNS[runtime] + ([] if bulk else BULK)
    pattern = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
    for path in sorted(folder.rglob("*"), reverse=True):  # files before their folders
        if path.is_dir():
            if not any(path.iterdir()):
                path.rmdir()
        elif pattern.fullmatch(path.relative_to(folder).as_posix()):
            path.unlink()
