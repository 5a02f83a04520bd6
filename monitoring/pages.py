"""The pages that people read beside the exact figures: drawn from a bounded sample, and reconciled with the figures.

A page never decides anything: the verdict rests on all rows and frozen bins. A page shows a fixed sample of accounts,
the same ones for the reference and for the month, so that what differs is not the draw.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.bundle import Bundle
from models.clock import Month
from models.contract import Columns, Contract
from models.errors import Integrity, NotFound, Unavailable
from models.governance.doubt.rule import Rule
from models.lake import SNAPSHOTS, Lake, PartitionVersion
from models.scoring import Scorer
from monitoring.drift import Shift, Statistics
from monitoring.recomputed import TOLERANCE, psi_by_column
from monitoring.report import Document, Reconciled, ReportStore

DRIFT, CLASSIFICATION = "drift.html", "classification.html"
SAMPLE = 5_000
"""Accounts on a page. At this size a render costs seconds and chance moves a PSI of ten bins by some thousandths."""
LABELLED = 50_000
"""Rows on a classification page."""


@dataclass(frozen=True)
class Page:
    """An HTML page that needs nothing from any network, and the PSI by column that its renderer computed for itself."""

    html: bytes
    psi: Mapping[str, float]


class Renderer(Protocol):
    def drift(self, contract: Contract, reference: Columns, current: Columns, limits: Mapping[str, float]) -> Page:
        """Drift and data quality of `current` against `reference`: contract columns and "probability".

        `limits` holds the PSI by column from which drift is called. Raises `Unavailable` if it cannot be drawn.
        """
        ...

    def classification(self, labelled: Columns, cut_off: float) -> Page:
        """Realised classification: columns "bad" (bool) and "probability", both (n,). Raises `Unavailable`."""
        ...


@dataclass
class Pages:
    """A report's pages, as far as they could be drawn."""

    files: dict[str, bytes] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)
    reconciliation: tuple[Reconciled, ...] = ()
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """A page that cannot be drawn costs the report a page, not its figures."""
        try:
            yield
        except (Unavailable, NotFound) as error:
            self.notes.append(f"A page is missing: {error.problem}")

    def draw_drift(
        self, renderer: Renderer, bundle: Bundle, reference: Columns, current: Columns, moved: Mapping[str, Shift]
    ) -> None:
        page = renderer.drift(bundle.contract, reference, current, {name: shift.alarm for name, shift in moved.items()})
        rows = f"{len(current['probability']):,} decisions against {len(reference['probability']):,} rows of the training data"
        self._add(DRIFT, "Drift and data quality", f"{rows}, the same accounts where both have them", page)
        self.reconciliation = reconcile(list(moved.values()), page, psi_by_column(bundle.contract, reference, current))

    def keep_drift(self, reports: ReportStore, model: str, decisions: PartitionVersion, bundle: Bundle) -> bool:
        """Take over the newest report's drift page if it shows the same decisions and bundle: drawing costs seconds."""
        for key in reports.keys(model, str(decisions.month))[:1]:
            with suppress(NotFound, Integrity):  # a damaged report is no reason not to draw
                report = reports.read(key)
                page = next((document for document in report.documents if document.name == DRIFT), None)
                same = report.bundle == bundle.digest and decisions.digest in {source.digest for source in report.sources}
                checked = all(each.recomputed is not None for each in report.reconciliation)  # none in an older release's
                if page and same and checked:
                    self.files[DRIFT] = reports.document(key, DRIFT)
                    self.documents.append(page)
                    self.reconciliation = report.reconciliation
                    return True
        return False

    def draw_classification(self, renderer: Renderer, bundle: Bundle, rule: str, rows: Columns) -> None:
        page = renderer.classification(rows, Rule.of(bundle).band.review)
        about = f"{len(rows['bad']):,} accounts, outcomes as coded ({rule}), cut where a review begins"
        self._add(CLASSIFICATION, "Realised classification", about, page)

    def _add(self, name: str, title: str, about: str, page: Page) -> None:
        self.files[name] = page.html
        self.documents.append(Document(name=name, title=title, about=about))


def decided_sample(partition: PartitionVersion, bundle: Bundle, statistics: Statistics, rows: int = SAMPLE) -> Columns:
    """Key, inputs and probability of decisions that this bundle answered."""
    contract = bundle.contract
    names = [contract.key, *contract.inputs, "probability"]
    return statistics.sample(partition, names, rows, key=contract.key, where=("bundle", bundle.digest))


def reference_sample(bundle: Bundle, lake: Lake, statistics: Statistics, scorer: Scorer, rows: int = SAMPLE) -> Columns:
    """Key, inputs and probability of accounts of the newest snapshot month that the bundle was made from.

    The bundle itself carries only frozen bins; the rows are found by its lineage and scored again by its own graph.
    Raises `NotFound` if the lake no longer has that partition version.
    """
    contract = bundle.contract
    partition = training_partition(bundle, lake)
    columns = dict(statistics.sample(partition, [contract.key, *contract.inputs], rows, key=contract.key))
    columns["probability"] = bundle.policy.quantise(scorer.probabilities(contract.matrix(columns)))
    return columns


def training_partition(bundle: Bundle, lake: Lake) -> PartitionVersion:
    """The newest snapshot partition named in the bundle's lineage, in exactly the version that was trained on."""
    used = [part for part in bundle.lineage.get("partitions", []) if part["table"] == SNAPSHOTS]
    if not used:
        raise NotFound("the bundle's lineage names no snapshot partition", hint="train it again with lineage")
    newest = max(used, key=lambda part: str(part["month"]))
    for partition in lake.history(SNAPSHOTS, Month.parse(newest["month"])):
        if partition.digest == newest["digest"]:
            return partition
    raise NotFound(
        f"the lake has no snapshots {newest['month']} with digest {newest['digest'][:12]}",
        hint="restore the partition that the bundle was trained on",
    )


def reconcile(exact: Sequence[Shift], page: Page, recomputed: Mapping[str, float]) -> tuple[Reconciled, ...]:
    """The exact PSI beside the page's own, column by column; a note where they differ about stable, warn or alarm.

    `recomputed` is the page's figure, computed again from its sample: what then differs is bins and sample.
    """
    return tuple(_reconciled(shift, page.psi[shift.name], recomputed[shift.name]) for shift in exact if shift.name in page.psi)


def _reconciled(shift: Shift, sampled: float, recomputed: float) -> Reconciled:
    exact, seen = shift.called(shift.psi), shift.called(sampled)
    notes = []
    if abs(sampled - recomputed) > TOLERANCE:
        notes.append("The page's figure does not follow from its sample by its own rule: do not rely on it.")
    if exact != seen:
        why = f"the page cuts its own bins from {SAMPLE:,} accounts; the verdict uses the frozen bins over all rows."
        notes.append(f"All rows: {exact}, the page: {seen}; {why}")
    return Reconciled(
        column=shift.name,
        exact=shift.psi,
        sampled=float(sampled),
        exact_drifted=exact == "alarm",
        sampled_drifted=seen == "alarm",
        recomputed=recomputed,
        note=" ".join(notes),
    )


def labelled(bad: NDArray[np.bool_], probability: NDArray[np.float64]) -> Columns:
    """At most `LABELLED` rows, evenly spaced over the accounts, for the classification page."""
    rows = np.linspace(0, len(bad) - 1, min(len(bad), LABELLED)).astype(np.int64)
    return {"bad": bad[rows], "probability": probability[rows]}
