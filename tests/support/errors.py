"""The shape of error responses."""

from __future__ import annotations

from tests.support.app import Response


def is_error(body: object) -> bool:
    """Check whether a parsed body has the shape of every error."""
    return (
        isinstance(body, dict)
        and isinstance(body["error"], str)
        and body.keys() <= {"error", "problems"}
        and all(problem.keys() == {"at", "problem"} for problem in body.get("problems", []))
    )


def problem_paths(response: Response) -> list[str]:
    """Return the paths of the problems in a 422."""
    assert response.status == 422, response.body
    assert is_error(response.body)
    return [problem["at"] for problem in response.body["problems"]]
