"""Writing the one graph: packed contract inputs in, probability and log-odds out, everything in float64.

The use case's own feature function is traced into the graph, so there is no second implementation of it. The trees are
one `TreeEnsemble` node (ai.onnx.ml, version 5), the first version whose thresholds and leaves may be float64.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import ndonnx
import numpy as np
import onnx
import spox
from google.protobuf import message as google_message
from numpy.typing import NDArray
from spox.opset.ai.onnx import v17 as op
from spox.opset.ai.onnx.ml import v5 as ml

from models.adapters.onnx_operators import check_operators
from models.contract import Contract
from models.errors import Integrity, Misconfigured
from models.estimator import Tree, TreeEnsemble

Features = Callable[[Mapping[str, Any], Any], dict[str, Any]]

_LESS_OR_EQUAL = 0  # the node mode "x <= split goes to the true side"
_SUM = 1
_PACKET = 8


class Calibrated(Protocol):
    """calibrated log-odds = intercept + slope * log-odds."""

    @property
    def slope(self) -> float: ...

    @property
    def intercept(self) -> float: ...


def export(
    contract: Contract,
    features: Features,
    names: Sequence[str],
    ensemble: TreeEnsemble,
    calibration: Calibrated,
) -> bytes:
    """The graph of a fitted model; `names` are the chosen features in the ensemble's order. Equal models give equal bytes.

    Input `inputs` (rows, inputs of the contract); outputs `probability` and `log_odds` (rows,), calibrated.
    """
    if tuple(names) != ensemble.features:
        raise Misconfigured("the chosen features are not those of the ensemble", hint="export with the recipe that was fitted")
    packed = spox.argument(spox.Tensor(np.float64, ("rows", len(contract.inputs))))
    X = _design_matrix(contract, features, names, packed)
    trees = ndonnx.asarray(ml.tree_ensemble(X.unwrap_spox(), **_attributes(ensemble.trees)))
    raw = ndonnx.reshape(trees, (-1,)) + ensemble.intercept
    log_odds = raw * float(calibration.slope) + float(calibration.intercept)
    probability = _sigmoid(log_odds)
    model = spox.build({"inputs": packed}, {"probability": probability.unwrap_spox(), "log_odds": log_odds.unwrap_spox()})
    graph: bytes = model.SerializeToString(deterministic=True)
    check_operators(graph)
    _check_valid(graph)
    return graph


def _check_valid(graph: bytes) -> None:
    try:
        onnx.checker.check_model(onnx.load_model_from_string(graph))
    except (onnx.checker.ValidationError, ValueError, TypeError, google_message.DecodeError) as error:
        raise Integrity("the exported graph is not valid ONNX", hint="look at what the feature function returns") from error


def _design_matrix(contract: Contract, features: Features, names: Sequence[str], packed: spox.Var) -> ndonnx.Array:
    """The chosen features as one array, shape (rows, features).

    Traced on columns of shape (rows, 1): a feature may depend on its own row alone, so the shape does not matter to it,
    and a quarter of the nodes, which would only squeeze and unsqueeze, is saved.
    """
    inputs = ndonnx.asarray(packed)
    derived = features({name: inputs[:, place : place + 1] for place, name in enumerate(contract.inputs)}, ndonnx)
    if missing := [name for name in names if name not in derived]:
        raise Misconfigured(f"the feature function does not give {', '.join(missing)}", hint=f"it gives {', '.join(derived)}")
    return ndonnx.concat([ndonnx.astype(derived[name], ndonnx.float64) for name in names], axis=1)


def _sigmoid(log_odds: ndonnx.Array) -> ndonnx.Array:
    """1 / (1 + exp(-x)), the same bits for a row alone and in a batch.

    The runtime computes exp in packets of up to eight values and the rest one by one, and the two differ in the last
    bit. Eight copies of every row leave no rest.
    """
    column = op.unsqueeze(log_odds.unwrap_spox(), op.const(np.array([1])))
    copies = op.sigmoid(op.expand(column, op.const(np.array([1, _PACKET]))))
    return ndonnx.asarray(op.gather(copies, op.const(np.array(0)), axis=1))


def _attributes(trees: Sequence[Tree]) -> dict[str, Any]:
    """The trees as one node's attributes: inner nodes and leaves are numbered apart, through all trees."""
    flat = [_with_inner_root(tree) for tree in trees]
    inner = [tree.left >= 0 for tree in flat]
    nodes, leaves = _starts([mask.sum() for mask in inner]), _starts([(~mask).sum() for mask in inner])
    number = [
        np.where(mask, start + np.cumsum(mask) - 1, first + np.cumsum(~mask) - 1)
        for mask, start, first in zip(inner, nodes, leaves, strict=True)
    ]

    def joined(pick: Callable[[Tree, NDArray[np.bool_], NDArray[np.int64]], NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([pick(*parts) for parts in zip(flat, inner, number, strict=True)])

    weights = joined(lambda tree, mask, _: tree.value[~mask]).astype(np.float64)
    splits = joined(lambda tree, mask, _: tree.threshold[mask]).astype(np.float64)
    return {
        "aggregate_function": _SUM,
        "n_targets": 1,
        "tree_roots": nodes,
        "nodes_featureids": joined(lambda tree, mask, _: tree.feature[mask]).tolist(),
        "nodes_modes": np.full(len(splits), _LESS_OR_EQUAL, dtype=np.uint8),
        "nodes_splits": splits,
        "nodes_truenodeids": joined(lambda tree, mask, number: number[tree.left[mask]]).tolist(),
        "nodes_trueleafs": joined(lambda tree, mask, _: ~mask[tree.left[mask]]).astype(int).tolist(),
        "nodes_falsenodeids": joined(lambda tree, mask, number: number[tree.right[mask]]).tolist(),
        "nodes_falseleafs": joined(lambda tree, mask, _: ~mask[tree.right[mask]]).astype(int).tolist(),
        "leaf_targetids": [0] * len(weights),
        "leaf_weights": weights,
    }


def _with_inner_root(tree: Tree) -> Tree:
    """The format has no tree that is only a leaf: such a one becomes a root whose two sides are that leaf."""
    if tree.left[0] >= 0:
        return tree
    side = np.array([1, -1])
    return Tree(np.zeros(2, np.int64), np.zeros(2), side, side, np.array([0.0, tree.value[0]]))


def _starts(lengths: Sequence[int]) -> list[int]:
    return [int(start) for start in np.cumsum([0, *lengths[:-1]])]
