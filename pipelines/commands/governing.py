"""The commands of people who answer for models: what waits, approve, reject, override, promote, stop, verify, inventory."""

from argparse import Namespace
from collections.abc import Callable, Iterable
from getpass import getpass

from models.catalog import find, names
from models.errors import Integrity, Misconfigured, NoChampion, NotApproved, NotFound, PlatformError
from models.governance import release, stop
from models.governance.answerable import answerable
from models.governance.approval import Approval
from models.governance.attestation import ensure_attested
from models.governance.checking import demands, override, reject, sign_off
from models.governance.dossier import FAIRNESS, NOT_JUDGED, by_verdict, open_gates
from models.governance.inbox import Waiting, waiting
from models.governance.inventory import Inventory, oversight
from models.governance.ledger import Entry, Event
from models.governance.packs import opened
from models.governance.requests import Office, requested
from models.governance.signers import signers
from models.governance.signing import Signer
from models.governance.standing import standing
from models.governance.verification import found_by
from models.governance.waivers import waive
from pipelines.commands.loop import Ended, follow
from pipelines.wiring import Platform, platform


def inventory(chosen: Namespace) -> Ended:
    """Every use case: owner, use, exposure, tier, and what applies. Held if one of them is incomplete."""
    parts, complete = platform(), True
    for name in [chosen.model] if chosen.model else names():
        declared = find(name).inventory
        print(f"{name}: {find(name).title}")
        print("\n".join(f"  {line}" for line in [*_declared(declared), *_applies(declared), *_standing(parts, name)]))
        complete &= not declared.missing()
    return Ended.DONE if complete else Ended.HELD


def requests(chosen: Namespace) -> Ended:
    """The inbox on the command line."""
    parts = _with_releases(chosen)
    office, model = parts.office, parts.use_case.name
    found = waiting(office, model, release.champion(office, model))
    for wish in found:
        print("\n".join(_waiting(wish)))
    used = _overrides(office.ledger.entries(model))
    print(f"{model}: {len(found)} wait for approval; {used} promoted by override so far")
    return Ended.HELD if found else Ended.DONE


def approve(chosen: Namespace) -> Ended:
    parts = _with_releases(chosen)
    bundle = digest_of(parts, chosen.bundle)
    signer = approver(parts, chosen.by)
    words = {"comment": chosen.comment, "conditions": chosen.conditions, "acceptance": chosen.accept}
    approval = sign_off(parts.office, signer, parts.use_case.name, bundle, **words)
    print(f"{chosen.by} approved bundle {bundle[:12]} with evidence {approval.evidence[:12]}, until {approval.expires_at:.10}")
    for gate in approval.accepted:
        print(f"  accepted in writing though not passed: {gate}")
    _say_conditions([approval])
    if release.champion(parts.office, parts.use_case.name) == bundle:
        print("It was promoted before: services take the signature over by themselves, and make promote writes that down.")
    print(f"Next: make promote BUNDLE={bundle[:12]}")
    return Ended.DONE


def decline(chosen: Namespace) -> Ended:
    parts = _with_releases(chosen)
    bundle = digest_of(parts, chosen.bundle)
    reject(parts.office, approver(parts, chosen.by), parts.use_case.name, bundle, reason=chosen.reason)
    print(f"{chosen.by} rejected bundle {bundle[:12]}; it is promoted only if somebody approves it after this")
    return Ended.DONE


def overrule(chosen: Namespace) -> Ended:
    parts = _with_releases(chosen)
    office, model = parts.office, parts.use_case.name
    bundle, compared_with = digest_of(parts, chosen.bundle), release.champion(office, model)
    wanted = override(office, approver(parts, chosen.by), model, bundle, compared_with=compared_with, reason=chosen.reason)
    print(f"{chosen.by} asked to override the gate's refusal of bundle {bundle[:12]}: {chosen.reason}")
    read = office.dossiers.files(model, bundle, wanted.evidence).keys() >= set(demands(office, wanted))
    first = "" if read else f"make evidence VERSION={wanted.version}, which people must have read; then "
    print(f'Next: {first}somebody else approves it: make approve BUNDLE={bundle[:12]} BY=… COMMENT="…"')
    return Ended.HELD


def waive_canary(chosen: Namespace) -> Ended:
    parts = _with_releases(chosen)
    bundle = digest_of(parts, chosen.bundle)
    more = waive(parts.office, approver(parts, chosen.by), parts.use_case.name, bundle, reason=chosen.reason)
    print(f"{chosen.by} answers for bundle {bundle[:12]} without a canary: {chosen.reason}")
    if more:
        print(f"Next: {more} more approver{'s' * (more > 1)} must: make waive-canary BUNDLE={bundle[:12]} BY=… REASON=…")
        return Ended.HELD
    print(f"Next: make promote BUNDLE={bundle[:12]}")
    return Ended.DONE


def promote(chosen: Namespace) -> Ended:
    parts = _with_releases(chosen)
    office, model = parts.office, parts.use_case.name
    bundle = digest_of(parts, chosen.bundle)
    parts.expect_seals()
    pointer = release.promote(office, model, bundle)
    found = standing(office.channel, office.trust, office.ledger, model, office.clock.now())
    print(f"{model}: version {pointer.version}, bundle {bundle[:12]}, is in force. A running service follows by itself.")
    print("\n".join(f"  {line}" for line in found.lines))
    _say_conditions(found.approvals)
    if requested(office, model, bundle).override:
        print(f"  by override of the gate; {_overrides(office.ledger.entries(model))} so far")
    follow(parts)
    return Ended.DONE


def halt(chosen: Namespace) -> Ended:
    parts = _in_service(chosen)
    fallback = digest_of(parts, chosen.fallback) if chosen.fallback else ""
    found = stop.stop(parts.office, parts.use_case.name, asked_by=chosen.by, reason=chosen.reason, fallback=fallback)
    instead = f"version {found.fallback_version}, bundle {fallback[:12]}, answers, marked" if fallback else "clients get 503"
    print(f"{found.model} is stopped: {instead}. Every service obeys within five seconds.")
    print('Next: make resume BY=you REASON="…"')
    return Ended.DONE


def go_on(chosen: Namespace) -> Ended:
    parts = _in_service(chosen)
    found = stop.resume(parts.office, parts.use_case.name, asked_by=chosen.by, reason=chosen.reason)
    print(f"{found.model} goes on with the champion, within five seconds.")
    return Ended.DONE


def verify(chosen: Namespace) -> Ended:
    """Raises `Integrity` naming what does not hold; the ledger's first bad entry comes first."""
    parts = platform(use_case=chosen.model or "")
    checks, entries, heads = parts.checks(), parts.ledger.entries(), parts.ledger.heads()
    findings = found_by(checks)
    for finding in findings:
        print(f"  {finding.where}: {finding.problem}" + (f"\n    -> {finding.hint}" if finding.hint else ""))
    if findings:
        places = f"{len(findings)} place{'s' * (len(findings) > 1)}"
        raise Integrity(
            f"what was recorded does not hold in {places}; the first: {findings[0].where}",
            hint="what this proves and what not is in docs/threat-model.md; keep the files as they are until it is understood",
        )
    if not entries:
        print("Nothing has been recorded yet.")
        return Ended.DONE
    anchored = (
        f", {len(heads) - 1} in the anchor" if parts.settings.ledger_anchor else "; no anchor is set (STEWARD_LEDGER_ANCHOR)"
    )
    print(f"{len(entries)} ledger entries hold, each attested; the head is signed{anchored}.")
    print("\n".join(check.holds for check in checks))
    for name in parts.channel.models():
        print(f"{name}: {standing(parts.channel, parts.trust(), parts.ledger, name, parts.clock.now()).sentence}.")
    return Ended.DONE


def make_approver(chosen: Namespace) -> Ended:
    parts = platform()
    key, proposal = parts.approvers.make(chosen.name, _passphrase(parts, chosen.name, twice=True))
    print(f"{chosen.name}'s private key: {key} (yours alone; nothing can restore it)")
    print(f"the public key waits in {proposal}")
    print(f"Next: whoever keeps the trust file: make trust NAME={chosen.name} BY=…")
    return Ended.DONE


def trust(chosen: Namespace) -> Ended:
    parts = platform()
    answerable(chosen.by, chosen.reason)
    _note_trust(parts, Event.TRUSTED, chosen, parts.approvers.proposal(chosen.name))  # first: nobody counts unrecorded
    parts.approvers.admit(chosen.name)
    print(f"{chosen.name} may approve from now on; running services know it within five seconds")
    return Ended.DONE


def distrust(chosen: Namespace) -> Ended:
    parts = platform()
    answerable(chosen.by, chosen.reason)
    key = parts.approvers.dismiss(chosen.name)  # first: a ledger that is broken must keep nobody in
    try:
        _note_trust(parts, Event.DISTRUSTED, chosen, key)
    except PlatformError as error:
        raise Integrity(f"{chosen.name} is dismissed, but that is not recorded: {error.problem}", error.hint) from error
    print(f"{chosen.name} may not approve any more, and what {chosen.name} approved no longer counts")
    return Ended.DONE


def note_signers(chosen: Namespace) -> Ended:
    """A person answers for the keys of jobs that the trust file lists."""
    by, reason = answerable(chosen.by, chosen.reason)
    parts = platform()
    found = signers(parts.trust())
    parts.ledger.append(Event.SIGNERS_NOTED, model="", actor=by, at=parts.clock.now(), facts=found | {"reason": reason})
    for duty, keys in found.items():
        print(f"may {duty}: {', '.join(sorted(keys))}")
    return Ended.DONE


def anchor(chosen: Namespace) -> Ended:
    """The ledger says who let its anchor begin, and when: what was cut off before that, it cannot show."""
    by, reason = answerable(chosen.by, chosen.reason)
    parts = platform()
    parts.begin_anchor()
    facts = {"anchor": str(parts.settings.ledger_anchor), "reason": reason}
    entry = parts.ledger.append(Event.ANCHORED, model="", actor=by, at=parts.clock.now(), facts=facts)
    print(f"{parts.settings.ledger_anchor} has the heads of the ledger from entry {entry.number - 1} on")
    return Ended.DONE


def _note_trust(parts: Platform, event: Event, chosen: Namespace, key: str) -> None:
    facts = {"name": chosen.name, "key": key, "reason": chosen.reason}
    parts.ledger.append(event, model="", actor=chosen.by, at=parts.clock.now(), facts=facts)


def _with_releases(chosen: Namespace) -> Platform:
    """An empty home stays empty: the office would make keys in it. Raises `NoChampion`, and `Integrity`: see `attested`."""
    parts = platform(use_case=chosen.model or "")
    if not any(entry.model == parts.use_case.name for entry in parts.attested()):
        raise NoChampion(f"nothing was ever registered of {parts.use_case.name}", hint="run `make train` first")
    return parts


def _in_service(chosen: Namespace) -> Platform:
    """Does not ask the ledger: a broken one must not keep anybody from stopping a model."""
    parts = platform(use_case=chosen.model or "")
    if not parts.channel.pointers(parts.use_case.name):
        raise NoChampion(f"{parts.use_case.name} has no champion", hint="nothing is served; run `make train` first")
    return parts


def digest_of(parts: Platform, text: str) -> str:
    """The digest that begins like this, of all that was registered. Raises `NotFound`."""
    entries = parts.ledger.entries(parts.use_case.name)
    known = {entry.facts["bundle"] for entry in entries if entry.event in (Event.REGISTERED, Event.REQUESTED)}
    found = [digest for digest in known if digest.startswith(text)]
    if len(found) != 1:
        raise NotFound(
            f"{len(found) or 'no'} bundles of {parts.use_case.name} begin with {text!r}", hint="see make requests for the digests"
        )
    return str(found[0])


def approver(parts: Platform, name: str) -> Signer:
    return parts.approvers.open(name, _passphrase(parts, name))


def _passphrase(parts: Platform, name: str, *, twice: bool = False, ask: Callable[[str], str] = getpass) -> str:
    given = parts.settings.approver_passphrase.get_secret_value()
    if given:
        return given
    try:
        typed = ask(f"Passphrase of {name}: ")
        if twice and ask("Once more: ") != typed:
            raise Misconfigured("the two passphrases differ", hint="nothing was made; try again")
    except EOFError as error:
        raise Misconfigured(
            "there is no terminal to ask for the passphrase", hint="set STEWARD_PIPELINES_APPROVER_PASSPHRASE"
        ) from error
    return typed


def _overrides(entries: list[Entry]) -> int:
    """How many promotions overrode the gate."""
    asked = {entry.facts["bundle"] for entry in entries if entry.event is Event.OVERRIDE_REQUESTED}
    return sum(entry.event is Event.PROMOTED and entry.facts["bundle"] in asked for entry in entries)


def _waiting(wish: Waiting) -> list[str]:
    wanted, who = wish.wanted, wish.wanted.requester or wish.wanted.trainer
    lines = [
        f"version {wanted.version}, bundle {wanted.bundle[:12]}, asked {wish.asked_at:.10} by {who}",
        f"  {wanted.reason}",
        f"  read first: {wish.place}",
        f"  approvals {len(wish.approvals)} of {wish.needed}: {', '.join(a.approver for a in wish.approvals) or 'none yet'}",
    ]
    lines += [f"  condition by {approval.approver}: {approval.conditions}" for approval in wish.approvals if approval.conditions]
    lines += [f"  people only: {wish.people_only}"] if wish.people_only else []
    lines += [f"  not passed, to be accepted in writing: {gate}" for gate in wish.gates]
    lines += [f"  {wish.waived}"] if wish.waived else [f"  not promoted yet: {wish.untried}"] if wish.untried else []
    lines += ["  promoted, not approved for production: a service there refuses it until people sign"] if wish.in_force else []
    lines += ["  the champion has changed since: train again"] if wish.stale else []
    if any(gate.endswith(NOT_JUDGED) for gate in wish.gates):
        lines.append(f"  first: make evidence VERSION={wanted.version}, which judges fairness; what people sign is that pack")
    accept = ' ACCEPT="why"' if wish.gates else ""
    otherwise = "then make promote" if wish.in_force else 'or make reject … REASON="…"'
    return [*lines, f'  make approve BUNDLE={wanted.bundle[:12]} BY=you COMMENT="…"{accept}  ({otherwise})']


def _say_conditions(approvals: Iterable[Approval]) -> None:
    for approval in approvals:
        if approval.conditions:
            print(f"  condition by {approval.approver}: {approval.conditions}")


def _declared(found: Inventory) -> list[str]:
    exposure = found.exposure
    return [
        f"owner      {found.owner}",
        f"purpose    {found.purpose} ({found.purpose_class})",
        *(f"permitted  {use}" for use in found.permitted),
        *(f"forbidden  {use}" for use in found.forbidden),
        f"exposure   {exposure.amount:,.0f} {exposure.unit}: {exposure.source}",
    ]


def _applies(found: Inventory) -> list[str]:
    try:
        rules = oversight(found)
    except PlatformError as error:
        return [f"BLOCKED    {error.problem}"]
    every = "every month" if rules.monitoring_months == 1 else f"every {rules.monitoring_months} months"
    people = f"{rules.approvers} approver{'s' * (rules.approvers > 1)}"
    tried = f"on {rules.canary_accounts:,} accounts at least, in production" if rules.canary_accounts else "not asked for"
    return [
        f"tier       {rules.tier}: {people}, for {rules.approval_days} days; monitored {every}",
        f"evidence   {', '.join(rules.evidence)}",
        f"canary     {tried}",
    ]


def _standing(parts: Platform, name: str) -> list[str]:
    """How the model stands in this home."""
    entries = parts.ledger.entries(name)
    if not entries or not parts.channel.pointers(name):
        return ["in force   nothing"]
    office: Office = parts.office
    now = standing(office.channel, office.trust, office.ledger, name, office.clock.now())
    refused = now.problem and office.demonstration is None
    how = "promoted" if refused else "in force"
    found = [
        f"{how}   bundle {now.pointer.bundle[:12]}; overrides of the gate: {_overrides(entries)}",
        *(f"approval   {line}" for line in now.lines),
        f"gates      {_gates(parts, name, now.pointer.bundle)}",
    ]
    found += [f"OVERDUE    {late.problem}" for late in parts.overdue(name)]
    halted = stop.newest(office.channel, office.trust, name)
    return [*found, f"STOPPED    {halted.reason} ({halted.asked_by})"] if halted and halted.stopped else found


def _gates(parts: Platform, model: str, bundle: str) -> str:
    """What the evidence pack says that the ledger named last, whoever signed what. Any other pack is nobody's word."""
    try:
        ensure_attested(parts.office)
        pack, files = opened(parts.ledger.entries(model), parts.packs, model, bundle)
    except NotFound:
        return f"{FAIRNESS} {NOT_JUDGED}: make evidence"
    except (Integrity, NotApproved) as error:
        return f"cannot be told, {error.problem}: make verify"
    left = by_verdict(open_gates(files))
    return f"evidence pack {pack[:12]}: {left or 'every gate was passed'}"
