"""How the newest release of a model stands where people approve, whatever profile asks: inventory, verify and training say it."""

from dataclasses import dataclass, replace
from datetime import datetime

from models.channel import Pointer, ReleaseChannel, head, release
from models.errors import NotApproved
from models.governance.approval import Approval, agreeing
from models.governance.dossier import by_verdict
from models.governance.ledger import Ledger
from models.governance.requests import withdrawal
from models.governance.signing import Trust


@dataclass(frozen=True)
class Standing:
    """`problem` is why a service outside the local profile refuses it, "" if it does not. `approvals` are in force here."""

    pointer: Pointer
    approvals: tuple[Approval, ...]
    problem: str

    @property
    def lines(self) -> list[str]:
        """Whether people approved it; then which gates were not passed and accepted, by whom and how."""
        if self.problem:
            told = f"promoted, not approved for production: {self.problem}"
        else:
            people = ", ".join(sorted(approval.approver for approval in self.approvals))
            told = f"approved by {people}, until {min(approval.expires_at for approval in self.approvals):.10}"
        return [told, *map(_acceptance, self.approvals)] if self.gates else [told]

    @property
    def sentence(self) -> str:
        """The same as a clause."""
        return "; ".join(self.lines)

    @property
    def caveat(self) -> str:
        """A sentence, "" if people approved it and every gate was passed."""
        return f"{self.sentence[0].upper()}{self.sentence[1:]}." if self.problem or self.gates else ""

    @property
    def gates(self) -> tuple[str, ...]:
        """Those that the evidence did not pass and that were accepted."""
        return self.approvals[0].accepted if self.approvals else ()


def standing(channel: ReleaseChannel, trust: Trust, ledger: Ledger, model: str, now: datetime) -> Standing:
    """Raises `NoChampion`, and `Integrity` or `NotFound` for what no service would load.

    Named are those whose signature counts: signed after the last word against the bundle, which only the ledger has.
    """
    pointer, people = head(channel, trust, model), replace(trust, demonstration=False)
    found, bundle = channel.approvals(pointer.bundle), pointer.bundle
    last = withdrawal(ledger.entries(model), bundle)

    def counting(by: Trust) -> tuple[Approval, ...]:
        agreed = agreeing(found, by, model=model, bundle=bundle, now=now)
        return tuple(each for each in agreed if last is None or datetime.fromisoformat(each.approved_at) > last.at)

    try:
        release(channel, people, model, now=now)
        if approvals := counting(people):
            return Standing(pointer, approvals, "")
        problem = f"nobody has signed since it was {last.what}" if last else ""
    except NotApproved as why:
        problem = why.problem
    try:
        return Standing(pointer, counting(trust), problem)
    except NotApproved:
        return Standing(pointer, (), problem)


def _acceptance(approval: Approval) -> str:
    """The reason is in quotation marks: it is what a person wrote."""
    how = "for demonstration only" if approval.watermark else f'in writing by {approval.approver}, "{approval.acceptance}"'
    return f"gates accepted {how}: {by_verdict(approval.accepted)}"
