"""Reading a sealed graph back: its trees as they stand in the file, and the part of the graph that begins with them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from models.errors import Integrity
from models.estimator import Tree, TreeEnsemble


def trees(graph: bytes, features: Sequence[str]) -> TreeEnsemble:
    """The ensemble of a graph that `onnx_graph.export` wrote, `features` in their order; the intercept comes after it."""
    node = _ensemble(onnx.load_model_from_string(graph))
    parts = {each.name: _plain(helper.get_attribute_value(each)) for each in node.attribute}
    return TreeEnsemble(tuple(features), 0.0, tuple(_tree(parts, int(root)) for root in parts["tree_roots"]))


def from_trees_on(graph: bytes) -> bytes:
    """The same nodes, trees and all that follows them, with the features (rows, features) as `inputs`."""
    model = onnx.load_model_from_string(graph)
    joined = _ensemble(model).input[0]
    known, kept = {joined, *(tensor.name for tensor in model.graph.initializer)}, []
    for node in model.graph.node:
        constant = not any(node.input)
        if joined not in node.output and (constant or all(name in known for name in node.input if name)):
            known.update(node.output)
            kept.append(node)
    for node in kept:
        for place, name in enumerate(node.input):
            if name == joined:
                node.input[place] = "inputs"
    given = helper.make_tensor_value_info("inputs", onnx.TensorProto.DOUBLE, ["rows", "features"])
    part = helper.make_graph(kept, "from_trees_on", [given], list(model.graph.output), list(model.graph.initializer))
    made = helper.make_model(part, opset_imports=list(model.opset_import), ir_version=model.ir_version)
    return bytes(made.SerializeToString(deterministic=True))


def _ensemble(model: Any) -> Any:
    found = [node for node in model.graph.node if node.op_type == "TreeEnsemble"]
    if len(found) != 1:
        raise Integrity(f"the graph holds {len(found)} ensembles of trees, not one", hint="seal the bundle again")
    return found[0]


def _plain(value: Any) -> NDArray[Any]:
    return np.asarray(numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value)


def _tree(parts: dict[str, NDArray[Any]], root: int) -> Tree:
    """One tree, its nodes numbered from its root on: the file numbers inner nodes and leaves apart, through all trees."""
    walk, left, right = [(False, root)], [], []
    for leaf, at in walk:  # grows while it is read
        if leaf:
            left.append(-1)
            right.append(-1)
            continue
        left.append(len(walk))
        right.append(len(walk) + 1)
        walk += [(bool(parts[f"nodes_{side}leafs"][at]), int(parts[f"nodes_{side}nodeids"][at])) for side in ("true", "false")]
    return Tree(
        feature=np.array([0 if leaf else parts["nodes_featureids"][at] for leaf, at in walk], dtype=np.int64),
        threshold=np.array([0.0 if leaf else parts["nodes_splits"][at] for leaf, at in walk], dtype=np.float64),
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        value=np.array([parts["leaf_weights"][at] if leaf else 0.0 for leaf, at in walk], dtype=np.float64),
    )
