"""Only exact arithmetic may decide: every graph is read before a runtime sees it, and the reader knows no mercy."""

from collections.abc import Callable

import onnx
import pytest
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from models.adapters import onnx_operators
from models.adapters.onnx_graph import export
from models.adapters.onnx_operators import check_operators
from models.adapters.onnx_runtime import OnnxScorer
from models.calibration import Calibration
from models.errors import Integrity
from tests.samples import SAMPLE, ensemble

GRAPH = export(SAMPLE.contract, SAMPLE.features, ("status", "used"), ensemble(), Calibration(1.1, -0.05))


def _edited(change: Callable[[onnx.ModelProto], None]) -> bytes:
    model = onnx.load_model_from_string(GRAPH)
    change(model)
    return bytes(model.SerializeToString())


def _random_noise(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("RandomNormal", [], ["noise"], shape=[1]))


def _foreign_domain(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("com.example", 1))
    model.graph.node.append(helper.make_node("Call", ["inputs"], ["called"], domain="com.example"))


def _own_function(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("local", 1))
    body = [helper.make_node("Identity", ["x"], ["y"])]
    model.functions.append(helper.make_function("local", "Hide", ["x"], ["y"], body, [helper.make_opsetid("", 21)]))


def _branch(model: onnx.ModelProto) -> None:
    out = helper.make_tensor_value_info("o", TensorProto.DOUBLE, [1])
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    body = helper.make_graph([helper.make_node("Identity", ["probability"], ["o"])], "branch", [], [out])
    model.graph.node.append(helper.make_node("Constant", [], ["condition"], value=yes))
    model.graph.node.append(helper.make_node("If", ["condition"], ["chosen"], then_branch=body, else_branch=body))


def _hidden_branch(model: onnx.ModelProto) -> None:
    """An allowed operator that carries a graph of its own."""
    body = helper.make_graph([], "hidden", [], [])
    model.graph.node[0].attribute.append(helper.make_attribute("body", body))


def _weights_elsewhere(model: onnx.ModelProto) -> None:
    tensor = helper.make_tensor("w", TensorProto.DOUBLE, [1], [1.0])
    tensor.ClearField("double_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../keys/publish-pipeline.pem")
    model.graph.initializer.append(tensor)


def _constant_elsewhere(model: onnx.ModelProto) -> None:
    tensor = helper.make_tensor("w", TensorProto.DOUBLE, [1], [1.0])
    tensor.external_data.add(key="location", value="weights.bin")
    model.graph.node.append(helper.make_node("Constant", [], ["w"], value=tensor))


def _said_to_be_elsewhere(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(TensorProto(name="w", dims=[1], data_type=1, data_location=TensorProto.EXTERNAL))


def _sparse(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add()


def _training(model: onnx.ModelProto) -> None:
    model.training_info.add()


def _older(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 13


def _two_versions(model: onnx.ModelProto) -> None:
    model.opset_import.append(helper.make_opsetid("", 13))


def _no_version(model: onnx.ModelProto) -> None:
    del model.opset_import[:]


CHANGES: dict[Callable[[onnx.ModelProto], None], str] = {
    _random_noise: r"ai\.onnx\.RandomNormal of version 21",
    _foreign_domain: r"com\.example\.Call of version 1",
    _own_function: "functions of its own",
    _branch: r"ai\.onnx\.If",
    _hidden_branch: "a graph within the graph",
    _weights_elsewhere: "data outside itself",
    _constant_elsewhere: "data outside itself",
    _said_to_be_elsewhere: "data outside itself",
    _sparse: "sparse tensors",
    _training: "training information",
    _older: "of version 13",
    _two_versions: "two versions of ai.onnx",
    _no_version: "of version unknown",
}


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_is_not_exact_arithmetic_never_reaches_the_runtime(change: Callable[[onnx.ModelProto], None]) -> None:
    for load in (check_operators, OnnxScorer):
        with pytest.raises(Integrity, match=CHANGES[change]):
            load(_edited(change))


def test_our_own_graphs_pass() -> None:
    check_operators(GRAPH)


def test_a_second_graph_behind_the_first_is_refused() -> None:
    """Protocol Buffers join the two, so what is appended would count."""
    extra = onnx.ModelProto()
    extra.graph.node.append(helper.make_node("RandomNormal", [], ["probability"], shape=[1]))
    assert len(onnx.load_model_from_string(GRAPH + extra.SerializeToString()).graph.node) > 1
    with pytest.raises(Integrity, match="2 graphs"):
        check_operators(GRAPH + extra.SerializeToString())


def test_an_operator_named_twice_is_refused() -> None:
    """The last name counts to the runtime, the first to a careless reader."""
    node = helper.make_node("Add", ["a", "b"], ["c"]).SerializeToString() + onnx.NodeProto(op_type="Loop").SerializeToString()
    graph = bytes([10, len(node)]) + node
    model = onnx.ModelProto(opset_import=[helper.make_opsetid("", 21)]).SerializeToString() + bytes([58, len(graph)]) + graph
    assert onnx.load_model_from_string(model).graph.node[0].op_type == "Loop"
    with pytest.raises(Integrity, match="two operators"):
        check_operators(model)


def test_a_graph_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(Integrity, match="more than"):
        check_operators(bytes(onnx_operators.LARGEST + 1))


@given(cut=st.integers(0, len(GRAPH) - 1))
def test_a_graph_that_is_cut_off_is_refused(cut: int) -> None:
    with pytest.raises(Integrity):
        OnnxScorer(GRAPH[:cut])


@given(place=st.integers(0, len(GRAPH) - 1), byte=st.integers(0, 255))
@example(place=58, byte=58)
def test_whatever_byte_is_flipped_every_operator_that_is_left_is_an_allowed_one(place: int, byte: int) -> None:
    """The reader is never more lenient than the library that the format comes from."""
    flipped = GRAPH[:place] + bytes([byte]) + GRAPH[place + 1 :]
    try:
        check_operators(flipped)
    except Integrity:
        return
    try:
        found = onnx.load_model_from_string(flipped)
    except DecodeError:  # inside what the reader skips: nobody can read it
        with pytest.raises(Integrity):
            OnnxScorer(flipped)
        return
    versions = {opset.domain: opset.version for opset in found.opset_import}
    for node in found.graph.node:
        assert node.op_type in onnx_operators.ALLOWED[node.domain, versions[node.domain]]
    assert not found.functions


@given(noise=st.binary(max_size=200))
def test_noise_is_refused_in_words(noise: bytes) -> None:
    with pytest.raises(Integrity):
        check_operators(noise)
