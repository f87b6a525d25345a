"""SnapStart: what a process does that Lambda restores from a snapshot.

Lambda loads the function when a version of it is published, and restores each instance of it from
there. What was true then need not be true any more: connections, credentials, the live model.
https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
"""

from __future__ import annotations

import os
from collections.abc import Callable


def call_after_restore(function: Callable[[], object]) -> None:
    """Register a function to call after a restore, if Lambda takes a snapshot of this process."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from snapshot_restore_py import (  # type: ignore[import-not-found] # of Lambda's runtime
            register_after_restore,
        )

        register_after_restore(function)
