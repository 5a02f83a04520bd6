"""Every document of a pack, in the order of the page."""

from pipelines.pack.approvals import SIGNED, approvals, with_gates
from pipelines.pack.artefacts import Artefacts
from pipelines.pack.card import card
from pipelines.pack.control_map import control_map
from pipelines.pack.costs import costs
from pipelines.pack.data_sheet import data_sheet
from pipelines.pack.development import development
from pipelines.pack.fairness import fairness
from pipelines.pack.making import making
from pipelines.pack.monitoring_plan import monitoring_plan
from pipelines.pack.prose import Document
from pipelines.pack.reasons import reasons
from pipelines.pack.robustness import robustness
from pipelines.pack.validation import validation

WRITERS = (
    card,
    data_sheet,
    development,
    validation,
    costs,
    reasons,
    fairness,
    robustness,
    monitoring_plan,
    approvals,
    making,
    control_map,
)


def documents(artefacts: Artefacts) -> tuple[Document, ...]:
    """Raises `Integrity` for anything that is missing."""
    written = [write(artefacts) for write in WRITERS]
    figures = [figure for document in written for figure in document.figures]
    return tuple(with_gates(each, artefacts, figures) if each.name == SIGNED else each for each in written)
