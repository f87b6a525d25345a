"""The shape of error responses."""

from __future__ import annotations


def is_error(body: object) -> bool:
    """Check whether a parsed body has the shape of every error."""
    return (
        isinstance(body, dict)
        and isinstance(body["error"], str)
        and body.keys() <= {"error", "problems"}
        and all(problem.keys() == {"at", "problem"} for problem in body.get("problems", []))
    )
