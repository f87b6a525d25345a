"""Print a random sample of mutants as JSON lines; runs in the environment of cosmic-ray.

At most one mutant of each place in the code is sampled, with an operator that is chosen at random:
cosmic-ray has eleven for each sum, and two for each `not`.
"""

from __future__ import annotations

import ast
import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

# Each of a pair does the same for None, booleans and interned texts.
_EQUIVALENT = ("Is_Eq", "IsNot_NotEq", "Eq_Is", "NotEq_IsNot")

Place = tuple[str, tuple[int, int]]  # path; line and column
Mutation = tuple[str, int]  # operator, occurrence


def main(seed: int, size: int, paths: list[str]) -> None:
    """Print how many places there are, then the mutants of a random sample of them."""
    chooser = random.Random(seed)
    places = {
        (path, start): mutations
        for path in paths
        for start, mutations in sorted(find_places(Path(path).read_text()).items())
    }
    print(json.dumps(len(places)))
    for _ in range(size):
        mutant = None
        while mutant is None and places:
            place = chooser.choice(list(places))
            mutant = make_mutant(place, chooser.choice(places.pop(place)))
        if mutant is not None:
            print(json.dumps(mutant))


def find_places(source: str) -> dict[tuple[int, int], list[Mutation]]:
    """Return the mutations that are possible at each line and column."""
    places: dict[tuple[int, int], list[Mutation]] = defaultdict(list)
    nodes = list(ast_nodes(get_ast(source)))
    for name, operator in _operators():
        starts = (start for node in nodes for start, _ in operator.mutation_positions(node))
        for occurrence, start in enumerate(starts):
            places[start].append((name, occurrence))
    return places


def _operators() -> Iterator[tuple[str, Any]]:
    for name in operator_names():
        operator = get_operator(name)
        if not operator.arguments() and not name.endswith(_EQUIVALENT):
            yield name, operator()


def make_mutant(place: Place, mutation: Mutation) -> dict[str, Any] | None:
    """Return a mutant; None if it is not Python, or differs in annotations or assertions only.

    None too if the operator does not know the code, such as some decorators.
    """
    path, (line, _) = place
    name, occurrence = mutation
    original = Path(path).read_text()
    try:
        source = mutate_code(original, get_operator(name)(), occurrence)
        if _normalize(source) == _normalize(original):
            return None
    except (AttributeError, SyntaxError):
        return None
    return {"path": path, "line": line, "operator": name.partition("/")[2], "source": source}


def _normalize(source: str) -> str:
    """Return the syntax tree without annotations, and without what is only an assertion.

    Nor does it tell how arguments are passed.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arguments):  # by name only or by position only
            node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
            node.defaults += [value for value in node.kw_defaults if value is not None]
            node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.test = ast.Constant(True)
        elif isinstance(node, ast.keyword) and node.arg == "strict":  # of zip
            node.value = ast.Constant(True)
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    return ast.dump(tree)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
