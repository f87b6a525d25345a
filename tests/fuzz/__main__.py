"""Run schemathesis, then search for the most expensive request: `make fuzz`."""

from __future__ import annotations

import sys

from tests.fuzz.cost import find_faults, search
from tests.fuzz.openapi import fuzz_models

if __name__ == "__main__":
    succeeded = [fuzz_models(), find_faults(), search()]
    sys.exit(0 if all(succeeded) else 1)
