"""What each command does, and what it says at its end: what was made, where it is, what to do next."""

import sys
from argparse import Namespace
from enum import Enum, auto

from models.errors import Misconfigured, Unavailable
from models.governance.fairness.figures import Verdict
from models.governance.ledger import open_holds
from models.governance.release import take_back
from models.registry import ALIASES
from monitoring.alerts.book import every_open
from monitoring.verdict import counted
from pipelines.definitions import accept_definition as accept
from pipelines.engine import engine
from pipelines.fairness.step import BUDGET_SECONDS, champion_report
from pipelines.fairness.table import lines
from pipelines.freshness import ensure_known
from pipelines.holds import Holds
from pipelines.holds import accept_input as accept_inputs
from pipelines.pack.artefacts import Verdict as PackVerdict
from pipelines.pack.files import BUDGET_SECONDS as PACK_SECONDS
from pipelines.promotion import aliases, mirror
from pipelines.rebuild import run as rebuilding
from pipelines.steps import Ending, Kind, unreported
from pipelines.stopwatch import Part, Stopwatch
from pipelines.wiring import Platform, platform
from pipelines.wiring.telling import numbers


class Ended(Enum):
    DONE = auto()
    HELD = auto()


def ingest(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    with engine(parts, verbose=chosen.verbose) as flows:
        report = flows.ingest(as_of=chosen.as_of, use_case=parts.use_case.name)
    lake = parts.settings.lake_of(parts.use_case.name)
    print(f"{len(report.written)} partitions written, {report.unchanged} unchanged: {lake}")
    if report.restored:
        print(f"{len(report.restored)} partitions were gone and are back, as they were recorded")
    if report.lost:
        print(f"{len(report.lost)} partitions that a model was made of are gone for good, unless a backup has them: make verify")
    if report.docs:
        print(f"Data Docs: {report.docs}")
    return holds(chosen) if report.holds else _next("make train")


def train(chosen: Namespace) -> Ended:
    watch, parts = Stopwatch(), _platform(chosen)
    with engine(parts, verbose=chosen.verbose, warm=True) as flows:
        ending = flows.train(
            as_of=chosen.as_of, use_case=parts.use_case.name, trials=parts.settings.trials, known_at=chosen.known_at
        )
    return _ended(parts, ending, watch)


def retrain(chosen: Namespace) -> Ended:
    watch, parts = Stopwatch(), _platform(chosen)
    with engine(parts, verbose=chosen.verbose, warm=True) as flows:
        ending = flows.retrain(
            as_of=chosen.as_of,
            use_case=parts.use_case.name,
            trials=parts.settings.trials,
            asked_by=chosen.asked_by,
            known_at=chosen.known_at,
        )
    return _ended(parts, ending, watch)


def monitor(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    with engine(parts, verbose=chosen.verbose) as flows:
        reports = flows.monitor(use_case=parts.use_case.name)
    if not reports:
        print(f"Nothing to report on: {unreported(parts)}")
        return _next("make serve, then score some accounts")
    for report in reports:
        print(f"{report.month}: {report.verdict.level}. {report.verdict.sentence}")
    if open_ones := every_open(parts.alert_book):
        return _next(f"{counted(len(open_ones), 'alert')} open: make alerts; or make monitor, to look at the reports")
    return _next("make monitor, to look at the reports")


def fairness(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    report = champion_report(parts)
    with parts.watch.step("draw and store", Part.TRACKING):
        kept = parts.keep_fairness(report)
    print("\n".join(lines(report)))
    print("\n".join(parts.watch.lines()))
    print(f"  {BUDGET_SECONDS:5.0f} s  budget")
    print(f"every figure: {kept['fairness.json']}")
    if report.verdict is Verdict.WITHIN:
        return Ended.DONE
    print("Next: a person reads what is not within limits and decides; the limits are policy, in the use case's policy.py")
    return Ended.HELD


def evidence(chosen: Namespace) -> Ended:
    watch, parts = Stopwatch(), _platform(chosen)
    with engine(parts, verbose=chosen.verbose) as flows:
        kept = flows.evidence(version=chosen.version, use_case=parts.use_case.name, rebuild=chosen.rebuild)
    watch.steps += kept.timings
    print(f"{parts.use_case.name}: {len(kept.figures):,} figures, each read from an artefact.")
    for verdict in (PackVerdict.FAILED, PackVerdict.INSUFFICIENT):
        print(f"  {len(kept.of(verdict)):,} {verdict}: {', '.join(kept.gates(verdict)) or 'none'}")
    print(f"  evidence pack {kept.digest[:12]}: {kept.folder / 'index.html'}")
    print("\n".join(watch.lines()))
    print(f"  {PACK_SECONDS:5.0f} s  budget")
    if kept.asked:
        print("The version waits for approval: what is signed from now on is this pack.")
        return _next("make requests")
    return _next("make monitor, to read it in the viewer")


def accept_definition(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    accepted = accept(
        parts.use_case,
        parts.lake,
        parts.ledger,
        parts.clock,
        version=chosen.version,
        by=chosen.by,
        reason=chosen.reason,
        progress=print,
    )
    if not accepted.released and not accepted.restated:
        print(f"Nothing changed: definition {accepted.version} was in force and no hold was open.")
    return _on(parts)


def accept_input(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    ensure_known(parts.use_case, parts.source, parts.lake, chosen.month.first_day)
    released = accept_inputs(
        Holds(parts.use_case, parts.ledger, parts.clock),
        month=str(chosen.month),
        column=chosen.column,
        by=chosen.by,
        reason=chosen.reason,
        progress=print,
    )
    if not released:
        print("Nothing changed: these holds were released before.")
    return _on(parts)


def rollback(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    model = parts.use_case.name
    pointer = take_back(parts.office, model, asked_by=chosen.by, reason=chosen.reason, again=chosen.again)
    print(f"{model} is back at version {pointer.version}, bundle {pointer.bundle[:12]}. A running service follows by itself.")
    follow(parts)
    return Ended.DONE


def follow(parts: Platform) -> None:
    """Bring the registry's aliases along, after what counts has happened: it takes seconds, and nothing served waits for it."""
    if not parts.mirrored:
        return
    sys.stdout.flush()
    try:
        mirror(parts.desk, parts.use_case.name)
    except Unavailable as error:
        print(f"MLflow's aliases lag behind: {error.problem}; `make versions` brings them along")


def holds(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    waiting = open_holds(parts.ledger.entries(parts.use_case.name))
    if not waiting:
        print("Nothing waits for a person.")
        return Ended.DONE
    for hold in waiting:
        print(f"held since {hold.opened_at:.10}: {hold.what} ({hold.month})\n  {hold.command}")
    if any(hold.coding for hold in waiting):
        for number, definition in parts.use_case.definitions.items():
            print(f"  definition {number}: {definition.rule}")
    print(f"Next: look at {parts.settings.data_docs_folder / 'index.html'}, then accept each of them, or leave it held")
    return Ended.HELD


def rebuild(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    model = parts.use_case.name
    found = rebuilding.run(parts, chosen.version)
    print("\n".join(rebuilding.lines(found, model, chosen.version, parts.settings.home)))
    rebuilding.ensure_reproduced(found, model, chosen.version)
    return Ended.DONE


def sbom(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    for path in parts.keep_bill():
        print(f"wrote {path}")
    print(f"{len(parts.libraries)} libraries. A version's own bill lies in its evidence, signed with it")
    return Ended.DONE


def licences(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    if refused := parts.refused_licences():
        raise Misconfigured(
            f"{len(refused)} licences are refused:\n  " + "\n  ".join(refused),
            hint="replace the library, or let those who answer for it decide: infra/licences.toml",
        )
    print(f"Licences of {len(parts.libraries)} libraries: none is refused.")
    return Ended.DONE


def versions(chosen: Namespace) -> Ended:
    """Looking also repairs: a registry that was moved names its new place from then on, and aliases follow the channel."""
    parts = _platform(chosen)
    model, registered = parts.use_case.name, parts.registry.versions(parts.use_case.name)
    meant = aliases(parts.channel, parts.trust(), parts.ledger, model) if registered else {}
    for version in registered:
        called = ", ".join(alias for alias in ALIASES if meant[alias] == version.bundle_digest) or "-"
        as_of = version.tags.get("as_of", "-")
        print(f"version {version.version}  bundle {version.bundle_digest[:12]}  as of {as_of}  {called}")
    here = {version.bundle_digest for version in registered}
    held = {alias: version.bundle_digest for version in registered for alias in version.aliases}
    if meant.get("champion") and held != {alias: digest for alias, digest in meant.items() if digest in here}:
        parts.registry.mirror(model, meant)
        print("MLflow's aliases were others, and follow the release channel now.")
    print(f"MLflow: {_mlflow(parts)}")
    return Ended.DONE


def schedule(chosen: Namespace) -> Ended:
    parts = _platform(chosen)
    with engine(parts, ui=True, verbose=chosen.verbose) as flows, numbers(parts.settings) as port:
        print(f"numbers for Prometheus: http://{parts.settings.metrics_host}:{port}/metrics", flush=True)
        flows.serve_schedules(parts)
    return Ended.DONE


def replay(chosen: Namespace) -> Ended:
    from pipelines.replay.run import run

    run(chosen.scenario)
    return Ended.DONE


def _platform(chosen: Namespace) -> Platform:
    """Built before anything starts, so that a wrong setting is said at once."""
    return platform(use_case=chosen.model or "", trials=getattr(chosen, "trials", None))


def _ended(parts: Platform, ending: Ending, watch: Stopwatch) -> Ended:
    home, model = parts.settings.home, parts.use_case.name
    watch.steps += [*parts.watch.steps, *ending.timings]
    print(f"{model}: {ending.kind}. {ending.sentence}")
    if ending.version:
        print(f"  version {ending.version}, bundle {ending.bundle[:12]}")
        print(f"  {ending.opened}")
        print(f"  evidence {home / 'evidence' / model / ending.bundle[:12]}")
        print(f"  MLflow   {_mlflow(parts)}")
    print("\n".join(watch.lines()))
    if ending.kind is Kind.HELD:
        return holds(Namespace(model=model))
    if ending.kind is Kind.ASKED:
        return _next(f'make shadow CHALLENGER={ending.version} BY=… REASON="…", then make canary')
    return _next("make serve" if ending.kind in (Kind.PROMOTED, Kind.UNCHANGED) else "make monitor")


def _mlflow(parts: Platform) -> str:
    """Where a person looks at runs and versions."""
    home = parts.settings.home.resolve()
    return parts.settings.mlflow_url or f".venv/bin/mlflow ui --backend-store-uri sqlite:///{home / 'mlflow' / 'mlflow.db'}"


def _on(parts: Platform) -> Ended:
    """After an acceptance: what still waits, or the way on."""
    if left := open_holds(parts.ledger.entries(parts.use_case.name)):
        return _next(f"{len(left)} more: make holds")
    return _next("make retrain")


def _next(what: str) -> Ended:
    print(f"Next: {what}")
    return Ended.DONE
