"""The shape of every error."""

from __future__ import annotations


def is_error(body: object) -> bool:
    """Tell whether a body has the one shape of an error."""
    return (
        isinstance(body, dict)
        and isinstance(body["error"], str)
        and body.keys() <= {"error", "problems"}
        and all(problem.keys() == {"at", "problem"} for problem in body.get("problems", []))
    )
