"""ONNX Runtime's C library runs graphs as its Python package does, and is not believed more."""

from __future__ import annotations

from array import array
from concurrent.futures import ThreadPoolExecutor

import pytest
from onnx import parser

from chalicelib.runtimes.onnx_capi import OnnxRuntimeError
from chalicelib.runtimes.onnx_session import Session

_HEADER = '<ir_version: 8, opset_import: ["" : 17]>'


def graph(text: str) -> bytes:
    """A model in ONNX's own text."""
    return bytes(parser.parse_model(f"{_HEADER} {text}").SerializeToString())


DOUBLED = graph("doubled (double[N, 2] x) => (double[N, 2] y) { y = Add(x, x) }")


def test_rows_go_in_and_come_out_in_order() -> None:
    """For one row as for many, and again after a run with another number of them."""
    session = Session(DOUBLED)
    assert (session.input_names, session.output_names) == (["x"], ["y"])
    for rows in (1, 3, 1, 2):
        numbers = array("d", range(2 * rows))
        assert session.run(rows, [numbers]) == [array("d", [2 * n for n in numbers])]


def test_a_result_is_the_callers_own() -> None:
    """A later run does not write over it."""
    session = Session(DOUBLED)
    [first] = session.run(1, [array("d", [1, 2])])
    session.run(1, [array("d", [3, 4])])
    assert first == array("d", [2, 4])


def test_many_threads_run_one_session() -> None:
    """Each gets the answer to what it asked."""
    session = Session(DOUBLED)

    def is_right(n: int) -> bool:
        return session.run(1, [array("d", [n, -n])]) == [array("d", [2 * n, -2 * n])]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(is_right, range(2_000)))


def test_text_goes_in_and_comes_out() -> None:
    """Of any length, and of any alphabet."""
    session = Session(graph("same (string[N, 2] x) => (string[N, 2] y) { y = Identity(x) }"))
    texts = ["", "red", "Grüner Veltliner", "x" * 10_000]
    assert session.run(2, [texts]) == [texts]
    assert session.run(1, [texts[:2]]) == [texts[:2]]
    assert session.run(1, [texts[2:]]) == [texts[2:]]


def choosing(width: str) -> bytes:
    """A model that gives those numbers of a row which are positive, whatever it says it gives."""
    return graph(f"""choosing (double[N, 2] x) => (double[N, {width}] y) {{
        zero = Constant <value = double[1] {{0.0}}> ()
        flat = Constant <value = int64[1] {{-1}}> ()
        row = Reshape(x, flat)
        positive = Greater(row, zero)
        y = Compress <axis = 1> (x, positive)
    }}""")


@pytest.mark.parametrize("row", [[1.0, 2.0], [-1.0, -2.0]])
def test_a_graph_that_gives_another_number_of_values_than_it_says_is_refused(
    row: list[float],
) -> None:
    """More would be written where there is no room, and of fewer some would be made up."""
    session = Session(choosing("1"))
    assert session.run(1, [array("d", [-1, 2])]) == [array("d", [2])]
    with pytest.raises(OnnxRuntimeError):
        session.run(1, [array("d", row)])


def test_values_that_are_no_matrix_of_the_graphs_are_refused() -> None:
    """The numbers in a run's tensors stay where they are, whatever is given."""
    session = Session(DOUBLED)
    session.run(1, [array("d", [1, 2])])
    with pytest.raises(ValueError, match="different structures"):
        session.run(1, [array("d", [1, 2, 3])])
    assert session.run(1, [array("d", [1, 2])]) == [array("d", [2, 4])]


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (b"", "protobuf|ModelProto|model"),
        (DOUBLED[:-20], "protobuf|Protobuf"),
        (graph("g (double[N, 2] x) => (bool[N, 2] y) { y = IsNaN(x) }"), "neither text nor"),
        (choosing("M"), "no fixed size"),
        (graph("g (double[N, 2] x) => (seq(double[N, 2]) y) { y = SequenceConstruct(x) }"), "text"),
    ],
    ids=["empty", "cut short", "booleans", "of any width", "a sequence"],
)
def test_what_cannot_be_run_or_read_is_refused_when_it_is_loaded(model: bytes, says: str) -> None:
    """With what ONNX Runtime says of it, or with what is missing."""
    with pytest.raises(OnnxRuntimeError, match=says):
        Session(model)
