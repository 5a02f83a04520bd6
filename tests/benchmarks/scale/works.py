"""The smaller works that are measured beside whole decisions: features alone, probabilities alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models import catalog
from models.adapters.onnx_runtime import OnnxScorer
from models.bundle import Bundle
from models.contract import Columns
from models.judging import Judge
from pipelines.scoring.parts import Batch, Kind, Mapped
from pipelines.scoring.screening import Screen


@dataclass(frozen=True)
class Features:
    """Validate, and compute the model's features of every sound row."""

    use_case: str

    @property
    def kinds(self) -> Mapping[str, Kind]:
        one = {name: np.ones(1) for name in catalog.find(self.use_case).contract.inputs}
        return {"row": "integer", **dict.fromkeys(catalog.find(self.use_case).features(one, np), "number")}

    def opened(self) -> Mapped:
        use_case = catalog.find(self.use_case)
        screen = Screen(use_case.contract)

        def done(batch: Batch) -> Columns:
            assert not screen.refused(batch)
            found = use_case.features({name: batch.columns[name] for name in use_case.contract.inputs}, np)
            return {"row": batch.numbers, **{name: values.astype(np.float64) for name, values in found.items()}}

        return done


@dataclass(frozen=True)
class Probabilities:
    """Validate, run the graph: as much as a peer does that only predicts."""

    bundle: Bundle

    @property
    def kinds(self) -> Mapping[str, Kind]:
        return {"row": "integer", "probability": "number"}

    def opened(self) -> Mapped:
        judge = Judge.of(self.bundle, OnnxScorer, "the champion")
        screen = Screen(judge.contract)

        def done(batch: Batch) -> Columns:
            assert not screen.refused(batch)
            return {"row": batch.numbers, "probability": judge.probabilities(judge.contract.matrix(batch.columns))}

        return done
