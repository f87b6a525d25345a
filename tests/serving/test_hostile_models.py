"""Models that someone else wrote to the bucket: none reads files, hangs or crashes the server."""

from __future__ import annotations

import random
import re
import struct
import subprocess
import sys
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

from chalicelib.errors import InvalidArtifact
from chalicelib.models.artifact import FOOTER_BYTES, make_footer, read_footer
from chalicelib.models.model import load_model
from chalicelib.runtimes.onnx_audit import _MIN_OPSET, OPERATORS, audit
from chalicelib.runtimes.onnx_trees import MAX_TREE_DEPTH
from tests.support.hostile_graphs import LOOP, Change, add_nodes, replace_model, tree
from tests.support.models import WineModel
from tests.support.paths import APP, ROOT
from training.artifact import BuiltModel, build_artifact


@pytest.fixture(scope="module")
def forest() -> BuiltModel:
    """A forest of small trees."""
    X, y = load_iris(return_X_y=True)
    estimator = RandomForestClassifier(5, max_depth=3, random_state=0).fit(X, y)
    return build_artifact(estimator, X, y, name="forest")


def add_weights(**fields: Any) -> Change:
    """Return a change that adds a tensor with these fields."""

    def change(model: ModelProto) -> None:
        model.graph.initializer.append(TensorProto(name="hostile", **fields))

    return change


def external(location: str) -> Change:
    """Return a change that adds weights that are in another file."""
    entry = onnx.StringStringEntryProto(key="location", value=location)
    return add_weights(
        dims=[2],
        data_type=TensorProto.DOUBLE,
        data_location=TensorProto.EXTERNAL,
        external_data=[entry],
    )


def external_in_attribute(model: ModelProto) -> None:
    """Take the value of a constant in an attribute from another file."""
    tensor = TensorProto(dims=[1], data_type=TensorProto.DOUBLE, data_location="EXTERNAL")
    tensor.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(helper.make_node("Identity", ["samples"], ["h"], value=tensor))


def nested(depth: int) -> Change:
    """Return a change that nests graphs."""

    def change(model: ModelProto) -> None:
        graph = helper.make_graph([helper.make_node("Identity", ["samples"], ["y"])], "g", [], [])
        for _ in range(depth):
            node = helper.make_node("If", ["c"], ["y"], then_branch=graph)
            graph = helper.make_graph([node], "g", [], [])
        model.graph.node.extend(graph.node)

    return change


def function(model: ModelProto) -> None:
    """Define a function."""
    node = helper.make_node("Identity", ["a"], ["b"])
    opset = helper.make_opsetid("", 21)
    model.functions.append(helper.make_function("custom", "f", ["a"], ["b"], [node], [opset]))


def training_info(model: ModelProto) -> None:
    """Add a graph that trains."""
    model.training_info.add(algorithm=GraphProto(name="g"))


def replace_opset(version: int) -> Change:
    """Return a change of the version of the operators."""

    def change(model: ModelProto) -> None:
        [opset] = [each for each in model.opset_import if not each.domain]
        opset.version = version

    return change


def without_columns(model: ModelProto) -> None:
    """Leave the number of the input's columns open, for ONNX Runtime to accept any."""
    model.graph.input[0].type.tensor_type.shape.dim[1].Clear()


def attribute_twice(model: ModelProto) -> None:
    """Add a second value of an attribute to a node."""
    node = helper.make_node("Concat", ["samples", "samples"], ["h"], axis=0)
    node.attribute.append(helper.make_attribute("axis", 1))
    model.graph.node.append(node)


def sparse(model: ModelProto) -> None:
    """Add weights that unpack to more than the file."""
    values = numpy_helper.from_array(np.ones(1), "hostile")
    indices = numpy_helper.from_array(np.zeros(1, dtype=np.int64))
    model.graph.sparse_initializer.append(
        helper.make_sparse_tensor(values, indices, [5_000_000_000])
    )


def tree_without_leaves(model: ModelProto) -> None:
    """Add a tree whose list of leaves is empty."""
    tree(2)(model)
    for attribute in model.graph.node[-1].attribute:
        if attribute.name == "leaf_targetids":
            del attribute.ints[:]


HOSTILE_GRAPHS: dict[str, Change] = {
    "external data by a relative path": external("secret"),
    "external data by an absolute path": external("/etc/passwd"),
    "external data in the memory of the process": external("*/_ORT_MEM_ADDR_/*"),
    "external data in an attribute": external_in_attribute,
    "a tree 100,000 deep": tree(100_000),
    "a tree deeper than the limit": tree(MAX_TREE_DEPTH + 1),
    "a tree in a cycle": tree(3, nodes_falsenodeids=[1, 0, 3], nodes_falseleafs=[0, 0, 1]),
    "a tree whose node is its child": tree(2, nodes_falsenodeids=[0, 2]),
    "a tree whose child is outside": tree(3, nodes_falsenodeids=[1, 999, 3]),
    "a tree whose child is negative": tree(3, nodes_falsenodeids=[1, -1, 3]),
    "a tree whose child is far outside": tree(3, nodes_falsenodeids=[1, 2**40, 3]),
    "a tree without leaves": tree_without_leaves,
    "a tree whose leaf is outside": tree(3, nodes_truenodeids=[0, 1, 999]),
    "a tree with a shared child": tree(
        3, nodes_truenodeids=[1, 1, 2], nodes_trueleafs=[0, 1, 1], nodes_falsenodeids=[1, 2, 3]
    ),
    "a tree without a root": tree(2, tree_roots=[1]),
    "a tree with a root outside": tree(2, tree_roots=[2]),
    "a tree with another target": tree(2, leaf_targetids=[0, 9, 0]),
    "a tree with lists of other lengths": tree(2, nodes_splits=np.zeros(1)),
    "a tree that compares with lists": tree(2, nodes_modes=np.full(2, 6, dtype=np.uint8)),
    "a tree with other attributes": tree(2, membership_values=np.zeros(2)),
    "an endless loop": add_nodes(LOOP),
    "a constant of 40 GB": add_nodes("<int64[1] n = {5000000000}> { h = ConstantOfShape(n) }"),
    "a matrix of 40 GB": add_nodes("<int64[2] n = {70000, 70000}> { h = RandomNormal(n) }"),
    "repetitions": add_nodes("<int64[2] n = {99999, 99999}> { h = Tile(x, n) }"),
    "an expansion to 40 GB": add_nodes("<int64[2] n = {400000000, 13}> { h = Expand(x, n) }"),
    "padding of 40 GB": add_nodes("<int64[4] n = {0, 0, 400000000, 0}> { h = Pad(x, n) }"),
    "a range of 40 GB": add_nodes(
        "<int64 a = {0}, int64 b = {5000000000}, int64 c = {1}> { h = Range(a, b, c) }"
    ),
    "an expansion to a computed size": add_nodes(
        "<int64[2] k = {100000, 1}> { s = Shape(x) n = Mul(s, k) h = Expand(x, n) }"
    ),
    "a range to a computed limit": add_nodes(
        "<int64 a = {0}, int64 b = {5000000000}, int64 c = {1}> "
        "{ y = ReduceSum(x) z = Cast<to = 7>(y) n = Add(z, b) h = Range(a, n, c) }"
    ),
    "a range over the numbers of another": add_nodes(
        "<int64 a = {0}, int64 b = {1000000}, int64 c = {1}, int64[2] r = {-1, 1}> "
        "{ y = Range(a, b, c) column = Reshape(y, r) h = Mul(column, y) }"
    ),
    "products of products": add_nodes(
        "{ t = Transpose<perm = [1, 0]>(x) a = MatMul(x, t) b = Flatten<axis = 0>(a) "
        "c = Flatten<axis = 2>(a) h = MatMul(c, b) }"
    ),
    "a tensor that doubles": add_nodes(
        "{ x0 = Identity(x)"
        + "".join(f" x{i + 1} = Concat<axis = 1>(x{i}, x{i})" for i in range(40))
        + " }"
    ),
    "a scan within a scan": add_nodes(
        "{ h = Scan <num_scan_inputs = 1, body = a (double[13] r) => (double[N, 13] o) {"
        " o = Scan <num_scan_inputs = 1, body = b (double[13] q) => (double[13] p) {"
        " k = MatMul(samples, q) l = ReduceSum(k) p = Add(q, l) }> (samples) }> (x) }"
    ),
    "operators of another version": replace_opset(1),
    "an input without columns": without_columns,
    "an attribute twice": attribute_twice,
    "graphs nested 20 deep": nested(20),
    "an operator of another domain": add_nodes("{ h = custom.Anything(x) }"),
    "an unknown operator": add_nodes("{ h = Anything(x) }"),
    "an older operator for trees": add_nodes("{ h = ai.onnx.ml.TreeEnsembleClassifier(x) }"),
    "a function": function,
    "a sparse constant": sparse,
    "training": training_info,
    "a shape without data": add_weights(dims=[5_000_000_000], data_type=TensorProto.DOUBLE),
    "a shape that overflows": add_weights(
        dims=[2**32, 2**32], data_type=TensorProto.DOUBLE, raw_data=b""
    ),
    "a negative shape": add_weights(dims=[-1], data_type=TensorProto.DOUBLE, raw_data=bytes(8)),
    "more data than the shape": add_weights(
        dims=[1], data_type=TensorProto.DOUBLE, raw_data=bytes(64)
    ),
    "half an item": add_weights(dims=[1], data_type=TensorProto.DOUBLE, raw_data=bytes(12)),
    "data of two kinds": add_weights(
        dims=[2], data_type=TensorProto.DOUBLE, raw_data=bytes(8), double_data=[1.0]
    ),
    "texts": add_weights(dims=[1], data_type=TensorProto.STRING, string_data=[b"a"]),
    "an unknown type of data": add_weights(dims=[1], data_type=99, raw_data=b"a"),
}

KNOWN = pytest.mark.parametrize("change", HOSTILE_GRAPHS.values(), ids=HOSTILE_GRAPHS)


@KNOWN
def test_a_hostile_graph_is_rejected_before_onnx_runtime_reads_it(
    trained: WineModel, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a signing key, the audit is what stands between the bucket and the process."""

    def load(*_: object) -> None:
        raise AssertionError("ONNX Runtime reads it")

    monkeypatch.setattr("chalicelib.runtimes.onnx_classifier.Session", load)
    with pytest.raises(InvalidArtifact) as caught:
        load_model(replace_model(trained.built.artifact, change))
    assert caught.value.reason == "unsafe content"


def test_every_operator_that_a_converter_names_is_allowed() -> None:
    """A new one has to be added to the list."""
    operators = {schema.name for schema in onnx.defs.get_all_schemas()}
    named: set[str] = set()
    for path in (ROOT / "training/export").rglob("*.py"):
        named |= operators.intersection(re.findall(r'"(\w+)"', path.read_text()))
    allowed = {operator.decode() for operators in OPERATORS.values() for operator in operators}
    assert named - {"Binarizer", "OneHotEncoder"} <= allowed  # names of scikit-learn's, too
    assert len(named) > 40


def test_an_unchanged_graph_is_accepted(trained: WineModel) -> None:
    """What the changes above start from, and a tree within the limit."""
    load_model(replace_model(trained.built.artifact, lambda _: None))
    load_model(replace_model(trained.built.artifact, tree(3)))


@pytest.mark.parametrize(
    "attribute",
    [
        {"f": 1.0},
        {"i": -1},
        {"s": b"a"},
        {"t": numpy_helper.from_array(np.zeros(2))},
        {"g": helper.make_graph([], "empty", [], [])},
        {"floats": [1.0, 2.0]},
        {"ints": [1, -1]},
        {"strings": [b"a", b"b"]},
        {"doc_string": "a", "type": "INT", "i": 1},
    ],
    ids=lambda attribute: next(iter(attribute)),
)
def test_an_attribute_of_any_kind_is_accepted(attribute: dict[str, Any]) -> None:
    """Of an operator that is allowed."""
    node = helper.make_node("LabelEncoder", ["x"], ["y"], domain="ai.onnx.ml")
    node.attribute.append(onnx.AttributeProto(name="any", **attribute))
    opsets = [helper.make_opsetid("", _MIN_OPSET), helper.make_opsetid("ai.onnx.ml", 5)]
    inputs = [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, 2])]
    model = helper.make_model(helper.make_graph([node], "g", inputs, []), opset_imports=opsets)
    audit(model.SerializeToString())
    model.opset_import[0].version = _MIN_OPSET - 1
    with pytest.raises(InvalidArtifact, match="old version"):
        audit(model.SerializeToString())


@pytest.mark.parametrize("field", [b"\x2d" + b"\xff" * 4, b"\x29" + b"\xff" * 8, b"\x28\xff\x01"])
def test_a_number_of_any_width_is_accepted(trained: WineModel, field: bytes) -> None:
    """Of 4 bytes, of 8, or as many as it needs; one that is cut short is not."""
    model = trained.built.artifact
    audit(model + field)
    audit(field + model)
    for length in range(1, len(field)):
        with pytest.raises(InvalidArtifact, match="cut short"):
            audit(model + field[:length])


@pytest.mark.parametrize(
    "suffix",
    {
        "an unknown field": b"\xfa\x07\x01a",
        "a group": b"\x0b\x0c",
        "an unknown wire type": b"\x0e",
        "field 0": b"\x00\x00",
        "a varint without an end": b"\x08" + b"\xff" * 11,
        "a graph that ends outside": b"\x3a\xff\xff\xff\xff\x0f",
        "a second graph": b"\x3a\x00",
        "millions of fields": b"\x08\x01" * 1_100_000,
    }.items(),
    ids=lambda item: item[0],
)
def test_a_file_in_another_encoding_is_rejected(
    trained: WineModel, suffix: tuple[str, bytes]
) -> None:
    """Protobuf reads appended bytes as more fields of the model."""
    artifact = trained.built.artifact
    start, length, *_ = read_footer(artifact)
    content = suffix[1] + artifact[:-FOOTER_BYTES]
    changed = content + make_footer(content, start + len(suffix[1]), length)
    with pytest.raises(InvalidArtifact) as caught:
        load_model(changed)
    assert caught.value.reason == "unsafe content"


_LOAD_ALL = """
import resource, struct, sys
from chalicelib.errors import InvalidArtifact
from chalicelib.models.model import load_model

resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, 2_000_000_000))
accepted = rejected = 0
while size := sys.stdin.buffer.read(4):
    try:
        load_model(sys.stdin.buffer.read(*struct.unpack("<I", size)))
        accepted += 1
    except InvalidArtifact:
        rejected += 1
print(accepted, rejected)
"""


def test_no_change_of_a_models_bytes_crashes_or_hangs_a_server(
    trained: WineModel, forest: BuiltModel
) -> None:
    """Bytes of graphs are changed, removed and repeated at random; the footers fit."""
    changes = random.Random(0)
    artifacts = []
    for artifact in (trained.built.artifact, forest.artifact):
        start, length, *_ = read_footer(artifact)
        for _ in range(150):
            graph, rest = bytearray(artifact[:start]), artifact[start:-FOOTER_BYTES]
            for _ in range(changes.choice((1, 1, 2, 8))):
                index = changes.randrange(len(graph))
                piece = graph[index : index + changes.randrange(1, 12)]
                match changes.randrange(4):
                    case 0:
                        graph[index] = changes.randrange(256)
                    case 1:
                        graph[index] ^= 1 << changes.randrange(8)
                    case 2:
                        graph[index:index] = piece
                    case 3:
                        del graph[index : index + len(piece)]
            content = bytes(graph) + rest
            artifacts.append(content + make_footer(content, len(graph), length))
    process = subprocess.run(
        [sys.executable, "-c", _LOAD_ALL],
        input=b"".join(struct.pack("<I", len(each)) + each for each in artifacts),
        capture_output=True,
        cwd=APP,
        timeout=60,
    )
    assert process.returncode == 0, process.stderr
    accepted, rejected = map(int, process.stdout.split())
    assert accepted + rejected == len(artifacts)
    assert rejected > accepted
