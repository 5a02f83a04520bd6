"""What `make verify` looks at: every check of every record that a home has."""

from collections.abc import Sequence

from models.adapters import account_keys
from models.governance.attestation import unsound
from models.governance.audit import Records, audit
from models.governance.ledger import Entry, Event
from models.governance.rollout_records import rollouts_as_recorded
from models.governance.timestamps import check_stamps, coverage
from models.governance.users import check_users
from models.governance.verification import Check, Finding
from models.governance.waivers import skipped
from models.lake import Lake
from monitoring.alerts.custody import check_acts
from monitoring.chain import ChainKeys
from monitoring.custody import kept, logged
from monitoring.rollout.kept import check_verdicts
from pipelines.adapters.traces import traces
from pipelines.door_keys import check_keys
from pipelines.pack.writer import writer
from pipelines.recorded import recorded
from pipelines.verification.cited_reports import check_cited
from pipelines.verification.packs import check_packs, compared
from pipelines.verification.partitions import check_partitions
from pipelines.verification.swap_sets import check_swap_sets
from pipelines.verification.traces import check_traces
from pipelines.wiring.watching import Watching


class Verifying(Watching):
    """The checks, of all models at once."""

    def checks(self) -> list[Check]:
        """The ledger's own chain comes first: raises `Integrity` if it is broken. None of the checks writes anything.

        On a ledger that its witness did not sign, or that cannot be read, nothing rests: what it names is not looked at.
        """
        entries, heads, channel = self.ledger.entries(), self.ledger.heads(), self.channel
        models = sorted({entry.model for entry in entries if entry.model}.union(channel.models()))
        left = traces(self.settings.home, self.settings.channel_folder)
        released = ", ".join(channel.models()) or "no model"
        packs = Check(
            "packs",
            compared(self.packs, entries, writer()),
            lambda: check_packs(self.packs, entries, self.render_pack, writer()),
        )
        swapped = Check(
            "swap sets",
            "The ledger names every swap-set report that is here, and each is as it was written.",
            lambda: check_swap_sets(self.swap_sets, entries),
        )
        if entries and (found := unsound(entries, heads, self.trust())):
            return [Check("ledger", "", lambda: found), packs, *self._stamps(entries)]
        checks = [
            Check("home", "Nothing lies here that no record names.", lambda: check_traces(entries, channel, left)),
            Check(
                "ledger",
                f"Pointers, stops, approvals, bundles and evidence of {released} are as recorded.",
                lambda: audit(Records(entries, heads, channel, self.trust(), self.evidence)) if entries or left else [],
            ),
            Check(
                "API keys",
                "Every key that opens the scoring service is as it was issued.",
                lambda: check_keys(entries, self.api_keys.all()),
            ),
            Check(
                "users",
                "Everybody who may sign in to the console was let in as recorded.",
                lambda: check_users(entries, self.users.all()),
            ),
            packs,
            swapped,
            Check(
                "cited reports",
                "The reports that retrainings rest on are as they were when they were cited.",
                lambda: check_cited(self.reports, entries),
            ),
            Check(
                "alerts",
                "What people did about alerts is what the ledger says.",
                lambda: check_acts(self.alert_book, entries),
            ),
            Check(
                "roll-outs",
                "Every roll-out began and ended as recorded, and its verdicts are those that the ledger names.",
                lambda: [
                    *rollouts_as_recorded(entries, channel, self.trust, models),
                    *check_verdicts(self.verdicts, entries),
                ],
            ),
        ]
        return [
            *checks,
            *self._canaries(entries),
            *self._stamps(entries),
            self._log(entries),
            *(check for model in models for check in self._lakes(model, entries)),
            *(self._watched(model) for model in channel.models()),
        ]

    def _stamps(self, entries: Sequence[Entry]) -> list[Check]:
        """None without stamps and without certificates. Stamps that nothing can check are a finding."""
        stamps, authority = self.stamps.all(), self.authority
        if authority is None:
            unchecked = Finding("time stamps", f"{len(stamps)} cannot be checked", "set STEWARD_TIMESTAMP_ROOTS")
            return [Check("time stamps", "", lambda: [unchecked])] if stamps else []
        return [Check("time stamps", coverage(entries, stamps), lambda: check_stamps(entries, stamps, authority))]

    def _canaries(self, entries: Sequence[Entry]) -> list[Check]:
        """Only where customers are decided about."""
        holds = "What is in force was tried as a canary where its tier asks for it, or people answer for going without."
        check = Check("canaries", holds, lambda: skipped(entries, self.channel, self.trust, self.channel.models()))
        return [check] if self.settings.canaries else []

    def _log(self, entries: Sequence[Entry]) -> Check:
        """Keys are only looked for: none is made for the answer."""
        keys = self.settings.home / "keys"
        return Check(
            "decision log",
            "Every decision and review is as it was answered, and none is missing that the ledger knew of.",
            lambda: logged(
                self.decisions.links(),
                entries,
                lambda: ChainKeys(account_keys.secret_keys(keys, account_keys.LOG, local=False, noting=False)),
            ),
        )

    def _watched(self, model: str) -> Check:
        return Check(f"monitoring of {model}", f"{model} is watched as often as its tier asks for.", lambda: self.overdue(model))

    def _lakes(self, model: str, entries: Sequence[Entry]) -> list[Check]:
        received = any(entry.event is Event.RECEIVED and entry.model == model for entry in entries)
        elsewhere = " What another home sent was made of the lake there." if received else ""
        return [
            Check(
                f"lake of {model}",
                f"Every partition that {model} was made of is in the lake, byte by byte.{elsewhere}",
                lambda: check_partitions(self._lake("lake", model), recorded(self.channel, entries, model)),
            ),
            Check(
                f"audit columns of {model}",
                f"The audit columns of {model} are as they were written.",
                lambda: check_partitions(self._lake("restricted", model)),
            ),
            Check(
                f"sealed decisions of {model}",
                f"The sealed months of {model} are those that the ledger noted.",
                lambda: kept(self._lake("lake", model), entries, model),
            ),
        ]

    def _lake(self, kind: str, model: str) -> Lake:
        """As it lies there, of any model, also one whose use case is no longer here."""
        from models.adapters.parquet_lake import lake_at

        return lake_at(self.settings.lake_of(model) if kind == "lake" else self.settings.home / kind / model)
