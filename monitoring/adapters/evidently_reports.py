"""The pages, drawn by Evidently: drift and data quality of a month, and realised classification.

Evidently computes PSI with bins of its own (equal width by Sturges' rule over both samples; every value a bin where
there are at most twenty; an empty bin counts as .0001): an independent look, which `monitoring.pages.reconcile` lays
beside the exact figures. Its pages carry their scripts inside and load nothing.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from models.contract import Columns, Contract
from models.errors import Unavailable
from monitoring.pages import Page

# Evidently is imported where it is used: that takes seconds, which only a process that draws should pay.


class EvidentlyRenderer:
    """A `Renderer`."""

    def drift(self, contract: Contract, reference: Columns, current: Columns, limits: Mapping[str, float]) -> Page:
        with _drawing("the drift page"):
            from evidently import Report
            from evidently.presets import DataDriftPreset, DataSummaryPreset

            columns = [*contract.inputs, "probability"]
            thresholds = {name: limits[name] for name in columns}
            # Evidently's headline asks for half of the columns by default; here, as in the verdict, one is enough.
            share = 1 / len(columns)
            preset = DataDriftPreset(columns=columns, method="psi", per_column_threshold=thresholds, drift_share=share)
            report = Report([preset, DataSummaryPreset()], include_tests=False)
            run = report.run(_dataset(contract, current), _dataset(contract, reference))
            return Page(_html(run), _psi(run))

    def classification(self, labelled: Columns, cut_off: float) -> Page:
        with _drawing("the classification page"):
            import pandas as pd
            from evidently import BinaryClassification, DataDefinition, Dataset, Report
            from evidently.presets import ClassificationPreset

            task = BinaryClassification(target="bad", prediction_probas="probability", pos_label=1)
            definition = DataDefinition(numerical_columns=["probability"], categorical_columns=["bad"], classification=[task])
            frame = pd.DataFrame({"bad": labelled["bad"].astype(np.int64), "probability": labelled["probability"]})
            report = Report([ClassificationPreset(probas_threshold=cut_off)], include_tests=False)
            return Page(_html(report.run(Dataset.from_pandas(frame, data_definition=definition), None)), {})


def data_definition(contract: Contract) -> dict[str, Any]:
    """Evidently's data definition, read from the contract: codes are categories, other inputs are numbers."""
    inputs = [contract[name] for name in contract.inputs]
    return {
        "id_column": contract.key,
        "numerical_columns": [c.name for c in inputs if not c.codes and c.kind != "text"] + ["probability"],
        "categorical_columns": [c.name for c in inputs if c.codes or c.kind == "text"],
    }


def _dataset(contract: Contract, columns: Columns) -> Any:
    import pandas as pd
    from evidently import DataDefinition, Dataset

    names = [contract.key, *contract.inputs, "probability"]
    frame = pd.DataFrame({name: columns[name] for name in names})
    return Dataset.from_pandas(frame, data_definition=DataDefinition(**data_definition(contract)))


def _html(run: Any) -> bytes:
    page: str = run.get_html_str(as_iframe=False)
    return page.encode()


def _psi(run: Any) -> dict[str, float]:
    configs = [(metric["config"], metric["value"]) for metric in run.dict()["metrics"]]
    return {config["column"]: float(value) for config, value in configs if config["type"].endswith(":ValueDrift")}


@contextmanager
def _drawing(what: str) -> Iterator[None]:
    """Evidently raises whatever its parts raise; it warns about its own insides, which nobody here can mend."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise Unavailable(
            f"Evidently could not draw {what}: {type(error).__name__}: {error}",
            hint="the exact figures do not depend on it; see report.json",
        ) from error
