"""Sessions on ONNX Runtime's C API."""

from __future__ import annotations

import signal
import struct
import subprocess
import sys
from array import array
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from onnx import TensorProto, parser

from chalicelib.runtimes.onnx_capi import OnnxRuntimeError, ort_api
from chalicelib.runtimes.onnx_session import Session
from tests.support.paths import APP

_HEADER = '<ir_version: 8, opset_import: ["" : 17]>'


def graph(text: str) -> bytes:
    """Parse a model in ONNX's textual syntax."""
    return bytes(parser.parse_model(f"{_HEADER} {text}").SerializeToString())


DOUBLED = graph("doubled (double[N, 2] x) => (double[N, 2] y) { y = Add(x, x) }")


def test_rows_keep_their_order() -> None:
    """For one row and for many, also after a run with another number of rows."""
    session = Session(DOUBLED)
    assert (session.input_names, session.output_names) == (["x"], ["y"])
    for rows in (1, 3, 1, 2):
        numbers = array("d", range(2 * rows))
        assert session.run(rows, numbers) == [array("d", [2 * n for n in numbers])]


def test_a_later_run_does_not_change_an_earlier_result() -> None:
    """The pooled tensors are copied."""
    session = Session(DOUBLED)
    [result] = session.run(1, array("d", [1, 2]))
    session.run(1, array("d", [3, 4]))
    assert result == array("d", [2, 4])


@pytest.mark.parametrize("part_rows", [None, 1, 2, 5, 7])
def test_a_run_in_parts_has_the_outputs_of_all_rows(part_rows: int | None) -> None:
    """Each part has its rows in their place, and the matrix stays as it is."""
    session = Session(DOUBLED)
    numbers = array("d", range(10))
    [result] = session.run(5, numbers, part_rows=part_rows)
    assert result == array("d", range(0, 20, 2))
    assert numbers == array("d", range(10))


def test_a_matrix_with_an_incomplete_row_is_rejected() -> None:
    """Its last numbers are of no row."""
    with pytest.raises(ValueError, match="different lengths"):
        Session(DOUBLED).run(2, array("d", range(5)))


def test_a_tensor_lies_within_its_array() -> None:
    """A part that is not in it would be other memory."""
    numbers = array("d", range(6))
    api = ort_api()
    for start in (-1, 3):
        with pytest.raises(ValueError, match="too short"):
            api.create_number_tensor(numbers, 2, 2, start=start)
    api.release("Value", api.create_number_tensor(numbers, 2, 2, start=2))


def test_many_threads_share_a_session() -> None:
    """Each gets the output for its own input."""
    session = Session(DOUBLED)

    def is_right(n: int) -> bool:
        return session.run(1, array("d", [n, -n])) == [array("d", [2 * n, -2 * n])]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(is_right, range(2_000)))


def keep_positive(width: str) -> bytes:
    """A model that outputs a row's positive numbers and declares an output of this width."""
    return graph(f"""keep_positive (double[N, 2] x) => (double[N, {width}] y) {{
        zero = Constant <value = double[1] {{0.0}}> ()
        flat = Constant <value = int64[1] {{-1}}> ()
        row = Reshape(x, flat)
        positive = Greater(row, zero)
        y = Compress <axis = 1> (x, positive)
    }}""")


@pytest.mark.parametrize("row", [[1.0, 2.0], [-1.0, -2.0]])
def test_an_output_of_another_shape_than_declared_is_rejected(
    row: list[float],
) -> None:
    """More values would overflow the buffer, and fewer would leave stale ones in it."""
    session = Session(keep_positive("1"))
    assert session.run(1, array("d", [-1, 2])) == [array("d", [2])]
    with pytest.raises(OnnxRuntimeError):
        session.run(1, array("d", row))


def test_an_input_of_another_width_is_rejected() -> None:
    """The pooled tensors are not resized."""
    session = Session(DOUBLED)
    session.run(1, array("d", [1, 2]))
    with pytest.raises(ValueError, match="different structures"):
        session.run(1, array("d", [1, 2, 3]))
    assert session.run(1, array("d", [1, 2])) == [array("d", [2, 4])]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (b"", "protobuf|ModelProto|model"),
        (DOUBLED[:-20], "protobuf|Protobuf"),
        (graph("g (string[N, 2] x) => (string[N, 2] y) { y = Identity(x) }"), "not hold numbers"),
        (graph("g (double[N, 2] x) => (bool[N, 2] y) { y = IsNaN(x) }"), "does not hold numbers"),
        (keep_positive("M"), "no fixed size"),
        (
            graph("g (double[N, 2] x) => (seq(double[N, 2]) y) { y = SequenceConstruct(x) }"),
            "numbers",
        ),
    ],
    ids=["empty", "truncated", "text", "booleans", "variable width", "sequence"],
)
def test_an_unusable_model_is_rejected_when_it_is_loaded(model: bytes, message: str) -> None:
    """With ONNX Runtime's message, or the reason."""
    with pytest.raises(OnnxRuntimeError, match=message):
        Session(model)


_EXIT_DURING_RUNS = """
import sys, threading
from array import array
from chalicelib.runtimes.onnx_session import Session

session, matrix = Session(sys.stdin.buffer.read()), array("d", [0.5]) * 1_000_000
running = threading.Event()

def run():
    while True:
        session.run(len(matrix), matrix)
        running.set()

for _ in range(4):
    threading.Thread(target=run, daemon=True).start()
running.wait()
raise KeyboardInterrupt
"""


def test_an_interrupted_process_does_not_crash_while_threads_run_a_graph() -> None:
    """Ctrl-C under load: nothing that a run still uses is released at exit."""
    slow = graph("slow (double[N, 1] x) => (double[N, 1] y) { a = Exp(x) b = Sin(a) y = Tanh(b) }")
    process = subprocess.run(
        [sys.executable, "-c", _EXIT_DURING_RUNS], input=slow, stderr=subprocess.PIPE, cwd=APP
    )
    assert process.returncode == -signal.SIGINT
    assert process.stderr.rstrip().endswith(b"KeyboardInterrupt")


def test_a_graph_cannot_take_its_weights_from_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not from the working folder, nor by an absolute path."""
    monkeypatch.chdir(tmp_path)
    Path("secret").write_bytes(struct.pack("<2d", 1, 2))
    weighted = "g (double[N, 2] x) => (double[N, 2] y) <double[2] w = {1, 2}> { y = Add(x, w) }"
    model = parser.parse_model(f"{_HEADER} {weighted}")
    [weights] = model.graph.initializer
    weights.ClearField("double_data")
    weights.data_location = TensorProto.EXTERNAL
    for location in ("secret", str(tmp_path / "secret"), "../" * 20 + str(tmp_path / "secret")):
        del weights.external_data[:]
        weights.external_data.add(key="location", value=location)
        with pytest.raises(OnnxRuntimeError):
            Session(model.SerializeToString())
