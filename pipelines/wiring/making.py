"""What a training run works with: families, search, exporter, pictures, bill of materials, fairness files."""

from functools import cached_property
from pathlib import Path

import pipelines
from models.adapters.evidence_folder import EvidenceFolder
from models.bundle import canonical
from models.estimator import Family
from models.governance.fairness.report import FairnessReport
from pipelines.adapters.checkout import origin
from pipelines.adapters.environment import installed, licence_policy
from pipelines.assessment import Assessment, Cohorts, Workshop
from pipelines.development import Development
from pipelines.fairness.table import lines
from pipelines.proofs import Anatomy
from pipelines.search import Optimiser
from pipelines.supply import Library, Subject, documents
from pipelines.wiring.releasing import Releasing

ROOT = Path(pipelines.__file__).parents[1]


class Making(Releasing):
    """How models and what is written about them are made."""

    @cached_property
    def families(self) -> tuple[Family, ...]:
        from models.adapters.gradient_boosting import GradientBoosting
        from models.adapters.scorecard import Scorecard

        return Scorecard(), GradientBoosting()

    @cached_property
    def optimiser(self) -> Optimiser:
        from pipelines.adapters.optuna_search import OptunaOptimiser
        from pipelines.adapters.studies import Journals, PostgresStudies
        from pipelines.adapters.trial_pools import DaskWorkers, Threads

        settings = self.settings
        url = settings.studies_url.get_secret_value()
        studies = PostgresStudies(url) if url else Journals(settings.home / "studies")
        pool = DaskWorkers(settings.dask, settings.workers) if settings.dask else Threads(settings.workers)
        return OptunaOptimiser(studies, pool)

    @cached_property
    def workshop(self) -> Workshop:
        from models.adapters.graph_trees import from_trees_on, trees
        from models.adapters.onnx_graph import export

        return Workshop(self.families, export, self.scorer, origin(ROOT), Anatomy(trees, from_trees_on))

    def draw(self, cohorts: Cohorts, development: Development, assessment: Assessment) -> dict[str, bytes]:
        """The pictures of a training run."""
        from pipelines.adapters.pictures import draw

        return draw(cohorts, development, assessment)

    def fairness_files(self, report: FairnessReport) -> dict[str, bytes]:
        """A fairness report as files by name: figures, text, pictures."""
        from pipelines.adapters.fairness_charts import draw

        pictures = {f"{name}.png": picture for name, picture in draw(report).items()}
        return {"fairness.json": canonical(report.to_dict()), "fairness.txt": "\n".join(lines(report)).encode(), **pictures}

    def keep_fairness(self, report: FairnessReport) -> dict[str, Path]:
        """Draw and store a fairness report; returns where each file is."""
        folder = EvidenceFolder(self.settings.home / "fairness")
        return folder.store(report.model, report.bundle, self.fairness_files(report))

    @cached_property
    def libraries(self) -> tuple[Library, ...]:
        """What is installed here."""
        return installed(ROOT)

    def supply(self, subject: Subject) -> dict[str, bytes]:
        """The bill of materials and the licences of this environment, as files."""
        return documents(self.libraries, licence_policy(ROOT), subject)

    def keep_bill(self) -> list[Path]:
        """Write the bill of this environment, about no version."""
        from models.adapters import durable

        files = self.supply(Subject.environment(origin(ROOT).lock_sha256))
        folder = self.settings.home / "sbom"
        for name, data in files.items():
            durable.replace(folder / name, data)
        return [folder / name for name in files]

    def refused_licences(self) -> list[str]:
        return licence_policy(ROOT).refusals(self.libraries)
