"""The champion as teams log a model: a scikit-learn pipeline over a pandas frame, its features derived by a `ColumnTransformer`.

The trees are the champion's own, read out of its sealed graph, behind LightGBM's own classifier; so is the calibration. Only the
features are written a second time, in pandas, which is what the one graph spares us. The benchmark compares the answers.

It is saved into a folder of the benchmark's, by cloudpickle, and nowhere else: nothing here can register or release a model.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from lightgbm import Booster, LGBMClassifier
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from models.adapters import graph_trees
from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import Bundle
from models.contract import Contract
from models.estimator import Tree

Floats = NDArray[np.float64]


def save(bundle: Bundle, where: Path) -> None:
    """A model folder that `mlflow models serve` takes, with a signature as `infer_signature` gives."""
    import mlflow.sklearn
    from mlflow.models import infer_signature

    logging.getLogger("mlflow.sklearn").setLevel(logging.ERROR)  # it warns of pickles, rightly
    model, example = pipeline(bundle), frame(bundle.contract, golden(bundle))
    mlflow.sklearn.save_model(
        model,
        str(where),
        serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
        signature=infer_signature(example, model.predict_proba(example)),
        pip_requirements=["lightgbm", "pandas", "scikit-learn"],  # not installed: it runs in this environment
        pyfunc_predict_fn="predict_proba",
    )


def pipeline(bundle: Bundle) -> Pipeline:
    chosen = tuple(bundle.lineage["recipe"]["features"])
    columns = ColumnTransformer(
        [
            ("standing", FunctionTransformer(standing, kw_args={"chosen": chosen}), ["status_0", "status_1"]),
            ("money", FunctionTransformer(money, kw_args={"chosen": chosen}), ["credit_limit", *_AMOUNTS]),
        ],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    derived = columns.fit_transform(frame(bundle.contract, golden(bundle)))
    classifier = _classifier(bundle, chosen, derived)
    return Pipeline([("features", columns), ("model", Calibrated(classifier, *_line(bundle, classifier, derived)))])


_AMOUNTS = ["bill_0", "bill_1", "payment_0", "payment_1"]


def standing(frame: pd.DataFrame, chosen: Sequence[str]) -> pd.DataFrame:
    now, before = frame["status_0"], frame["status_1"]
    months_0, months_1 = now.clip(lower=0), before.clip(lower=0)
    found = {
        "months_behind_0": months_0,
        "months_behind_1": months_1,
        "months_behind_both": (months_0 + months_1).where(now >= 1, 0),
        "cured": (now < 1) & (before >= 1),
        "started": (now > -2) & (before == -2),
        "unused_0": now == -2,
        "revolving_0": now == 0,
        "revolving_1": before == 0,
    }
    return pd.DataFrame({name: values for name, values in found.items() if name in chosen}).astype("float64")


def money(frame: pd.DataFrame, chosen: Sequence[str]) -> pd.DataFrame:
    limit = frame["credit_limit"].clip(lower=1)
    found = {
        "utilisation_0": frame["bill_0"] / limit,
        "utilisation_change": (frame["bill_0"] - frame["bill_1"]) / limit,
        "headroom": frame["credit_limit"] - frame["bill_0"],
        "payment_ratio_0": _share(frame["payment_0"], frame["bill_1"]),
        "payment_ratio_1": _share(frame["payment_1"], frame["bill_1"]),
        "payment_to_limit_0": frame["payment_0"] / limit,
        "payment_to_limit_1": frame["payment_1"] / limit,
        **{name: frame[name] for name in ("credit_limit", "bill_0", "payment_0", "payment_1")},
    }
    return pd.DataFrame({name: values for name, values in found.items() if name in chosen})


def _share(paid: "pd.Series[float]", owed: "pd.Series[float]") -> "pd.Series[float]":
    return (paid / owed.clip(lower=1)).clip(upper=1).where(owed > 0, 1.0)


class Calibrated(ClassifierMixin, BaseEstimator):
    """A classifier whose log-odds are moved along a line that was found elsewhere."""

    def __init__(self, classifier: LGBMClassifier, slope: float, intercept: float) -> None:
        self.classifier = classifier
        self.slope = slope
        self.intercept = intercept
        self.classes_ = np.array([0, 1])

    def fit(self, X: Any, y: Any = None) -> Self:
        return self

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        raw = self.classifier.predict_proba(X, raw_score=True)
        bad = 1 / (1 + np.exp(-(self.slope * raw + self.intercept)))
        return np.column_stack([1 - bad, bad])


def _classifier(bundle: Bundle, chosen: Sequence[str], derived: pd.DataFrame) -> LGBMClassifier:
    """LightGBM's classifier around the champion's trees: fitted to next to nothing, for its checks, then given their booster."""
    place = np.array([derived.columns.get_loc(name) for name in chosen])
    trees = [replace(tree, feature=place[tree.feature]) for tree in graph_trees.trees(bundle.graph, chosen).trees]
    model = LGBMClassifier(n_estimators=1, min_child_samples=1, n_jobs=1, verbose=-1)
    model.fit(derived, np.arange(len(derived)) % 2)
    model._Booster = Booster(model_str=text(trees, list(derived.columns)))
    return model


def _line(bundle: Bundle, classifier: LGBMClassifier, derived: pd.DataFrame) -> tuple[float, float]:
    """Slope and intercept from what the trees add up to, to the log-odds of the graph."""
    graph = OnnxScorer(bundle.graph).probabilities(golden(bundle))
    slope, intercept = np.polyfit(classifier.predict_proba(derived, raw_score=True), np.log(graph / (1 - graph)), 1)
    return float(slope), float(intercept)


def text(trees: Sequence[Tree], features: Sequence[str]) -> str:
    """A model in LightGBM's own format; numbers keep every bit."""
    head = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={len(features) - 1}",
        "objective=binary sigmoid:1",
        f"feature_names={' '.join(features)}",
        f"feature_infos={' '.join(['[-1e308:1e308]'] * len(features))}",
        "",
    ]
    return "\n".join([*head, *(_tree(number, tree) for number, tree in enumerate(trees)), "end of trees", "", "parameters:", ""])


def _tree(number: int, tree: Tree) -> str:
    """Inner nodes and leaves are numbered apart; a leaf as a child is the complement of its number."""
    inner = tree.left >= 0
    place = np.where(inner, np.cumsum(inner) - 1, -np.cumsum(~inner))
    rows: dict[str, Sequence[Any]] = {
        "num_leaves": [int((~inner).sum())],
        "num_cat": [0],
        "split_feature": tree.feature[inner].tolist(),
        "threshold": tree.threshold[inner].tolist(),
        "decision_type": [2] * int(inner.sum()),  # "<=", no value is missing
        "left_child": place[tree.left[inner]].tolist(),
        "right_child": place[tree.right[inner]].tolist(),
        "leaf_value": tree.value[~inner].tolist(),
        "is_linear": [0],
        "shrinkage": [1],
    }
    return "\n".join([f"Tree={number}", *(f"{name}={' '.join(map(repr, values))}" for name, values in rows.items()), "\n"])


def golden(bundle: Bundle) -> Floats:
    return np.array(bundle.part("golden.json")["inputs"], dtype=np.float64)


def frame(contract: Contract, rows: Floats) -> pd.DataFrame:
    return pd.DataFrame({name: rows[:, place].astype(contract[name].dtype) for place, name in enumerate(contract.inputs)})
