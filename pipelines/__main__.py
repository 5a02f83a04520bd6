"""The command line of the pipelines: `python -m pipelines --help`."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import TextIO, cast
from uuid import uuid4

from models.errors import Held, PlatformError
from models.governance.access import Role
from models.governance.api_keys import Action, Allowance
from monitoring.telemetry.context import working
from pipelines.commands import (
    alerting,
    delivering,
    door_keys,
    drilling,
    explaining,
    governing,
    people,
    records,
    rolling_out,
    scaling,
    swapping,
)
from pipelines.commands import loop as commands
from pipelines.commands.arguments import count, day, instant, listed, month, trials
from pipelines.commands.doors import Door, Listener, written
from pipelines.wiring import ensure_home
from pipelines.wiring.telling import telling

BEGINNINGS = (
    *(commands.ingest, commands.train, commands.retrain, commands.schedule, commands.replay, commands.sbom, commands.licences),
    *(governing.inventory, governing.make_approver, scaling.generate, drilling.drill),
    *(delivering.make_sender, delivering.admit, delivering.parcel, delivering.receive),
)
"""What needs no home that is there already."""
EXIT_HELD = 3  # nothing went wrong, but a person must act first


def main(arguments: Sequence[str] | None = None) -> int:
    """0: done. 1: it failed, and the message says what to do. 2: misused. 3: held for a person."""
    chosen = _parser().parse_args(arguments)
    with redirect_stdout(cast(TextIO, Listener(sys.stdout))) as out:
        code = _run(chosen)
        out.flush()
    return code


def _run(chosen: argparse.Namespace) -> int:
    try:
        if chosen.run not in BEGINNINGS:
            ensure_home()
        with telling() as tracing, working("run_id", str(uuid4())), tracing(f"command {chosen.run.__name__}", ""):
            return EXIT_HELD if chosen.run(chosen) is commands.Ended.HELD else 0
    except PlatformError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return EXIT_HELD if isinstance(error, Held) else 1
    except OSError as error:
        print(f"{type(error).__name__}: {error}\n  -> is STEWARD_HOME a folder that may be written to?", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130


def _parser() -> Door:
    parser = Door(prog="python -m pipelines", description="Train, watch and release models.")
    parser.add_argument("--verbose", action="store_true", help="show the flow engine's own log")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")

    ingest = _verb(verbs, "ingest", commands.ingest, "take in every month up to a day, validated")
    train = _verb(verbs, "train", commands.train, "search, gate, register and promote")
    retrain = _verb(verbs, "retrain", commands.retrain, "monitor, and train if the verdict says so")
    _verb(verbs, "monitor", commands.monitor, "report on the newest months of decisions")
    _verb(verbs, "fairness", commands.fairness, "how the champion treats groups, on its out-of-time month")
    pack = _verb(verbs, "evidence", commands.evidence, "the evidence pack of a version: what is read before signing")
    pack.add_argument("--version", type=int, default=0, metavar="N", help="a registered version; default: the champion")
    pack.add_argument("--rebuild", action="store_true", help="make the version again from its record, too")
    swap = _verb(verbs, "swap-set", swapping.compare, "who is treated otherwise by one version than by another")
    swap.add_argument("--challenger", type=written, required=True, metavar="VERSION", help="number, or beginning of a digest")
    swap.add_argument("--against", default="", metavar="VERSION", help="the same; default: the champion")
    for verb in (ingest, train, retrain):
        verb.add_argument("--as-of", type=day, metavar="DAY", help="what may be known, inclusive; e.g. 2005-08-31")
    for verb in (train, retrain):
        verb.add_argument("--trials", type=trials, metavar="N", help="trials of the search, 2 or more")
        verb.add_argument("--known-at", type=instant, metavar="INSTANT", help="leave out what was recorded later; default: now")
    retrain.add_argument("--asked-by", default="", metavar="NAME", help="train also without a trigger; the name is recorded")

    accept = _verb(verbs, "accept-definition", commands.accept_definition, "accept an outcome definition and release its holds")
    accept.add_argument("--version", type=int, required=True, help="the definition's number")
    inputs = _verb(verbs, "accept-input", commands.accept_input, "release the holds about a month's inputs or its absence")
    inputs.add_argument("--month", type=month, required=True, help="e.g. 2005-09")
    inputs.add_argument("--column", default="", metavar="NAME", help="only this column's; default: all of the month's")
    back = _verb(verbs, "rollback", commands.rollback, "return to the previous champion")
    for verb in (accept, inputs, back):
        verb.add_argument("--by", type=written, required=True, metavar="NAME", help="who answers for it")
        verb.add_argument("--reason", type=written, required=True, help="why, in a sentence")

    back.add_argument("--again", action="store_true", help="go back one more, from a champion that is itself a roll-back")

    _verb(verbs, "holds", commands.holds, "what waits for a person")
    _verb(verbs, "retrainings", explaining.retrainings, "why it was retrained or not, on what evidence, and what came of it")
    _verb(verbs, "versions", commands.versions, "the registered versions; run it once after a home was moved")
    again = _verb(verbs, "rebuild", commands.rebuild, "make a registered version again from its record, and compare")
    again.add_argument("--version", type=int, required=True, help="the registered version's number")
    _verb(verbs, "sbom", commands.sbom, "write the bill of materials of this environment")
    _verb(verbs, "licences", commands.licences, "check the licences of this environment against the policy")
    _add_governance(verbs)
    _add_rollouts(verbs)
    _add_deliveries(verbs)
    _add_alerts(verbs)
    _add_records(verbs)
    _add_door_keys(verbs)
    _add_people(verbs)
    _add_scaling(verbs)
    _verb(verbs, "schedule", commands.schedule, "run ingest, monitor and retrain on their schedules")
    replay = _verb(verbs, "replay", commands.replay, "live through a scenario, month by month")
    practice = _verb(verbs, "drill", drilling.drill, "put faults in, on a copy, and see what notices them, and when")
    practice.add_argument("--drill", default="", metavar="NAMES", help="with commas between; default: all of them")
    practice.add_argument("--write", default="", metavar="FILE", help="put the table into this page")
    replay.add_argument("--scenario", choices=("2005", "shift"), default="2005")
    return parser


def _add_governance(verbs: "argparse._SubParsersAction[Door]") -> None:
    _verb(verbs, "inventory", governing.inventory, "every use case: owner, use, exposure, tier, and what applies")
    _verb(verbs, "requests", governing.requests, "what waits for approval")
    _verb(verbs, "verify", governing.verify, "walk the ledger and everything that it names")
    sign = _verb(verbs, "approve", governing.approve, "sign a bundle together with its evidence")
    sign.add_argument("--comment", type=written, required=True, help="what was looked at")
    sign.add_argument("--accept", default="", metavar="REASON", help="why gates that were not passed do not stand in the way")
    sign.add_argument("--conditions", default="", help="under which it may be used")
    refuse = _verb(verbs, "reject", governing.decline, "say no to a request")
    overrule = _verb(verbs, "override", governing.overrule, "ask to promote what the gate refused")
    untried = _verb(verbs, "waive-canary", governing.waive_canary, "answer for a release that decides for everybody untried")
    publish = _verb(verbs, "promote", governing.promote, "bring an approved bundle into force")
    for verb in (sign, refuse, overrule, untried, publish):
        verb.add_argument("--bundle", type=written, required=True, metavar="DIGEST", help="its first characters are enough")
    halt = _verb(verbs, "stop", governing.halt, "take a model out of service")
    halt.add_argument("--fallback", default="", metavar="DIGEST", help="an approved bundle that answers meanwhile, marked")
    go_on = _verb(verbs, "resume", governing.go_on, "let a stopped model answer again")
    person = _verb(verbs, "approver", governing.make_approver, "make a key pair for a person who approves")
    trust = _verb(verbs, "trust", governing.trust, "let a proposed approver's signature count")
    distrust = _verb(verbs, "distrust", governing.distrust, "let an approver's signature count no longer")
    jobs = _verb(verbs, "signers", governing.note_signers, "note whose keys publish and attest, as the trust file lists them")
    begin = _verb(verbs, "anchor", governing.anchor, "let the ledger's anchor begin with an older ledger's head")
    for verb in (person, trust, distrust):
        verb.add_argument("--name", type=written, required=True, help="small letters, digits and hyphens")
    for verb in (sign, refuse, overrule, untried, halt, go_on, trust, distrust, jobs, begin):
        verb.add_argument("--by", type=written, required=True, metavar="NAME", help="who answers for it")
    for verb in (refuse, overrule, untried, halt, go_on, trust, distrust, jobs, begin):
        verb.add_argument("--reason", type=written, required=True, help="why, in a sentence")


def _add_rollouts(verbs: "argparse._SubParsersAction[Door]") -> None:
    shadow = _verb(verbs, "shadow", rolling_out.shadow, "let a version score what the champion answers, and decide nothing")
    canary = _verb(verbs, "canary", rolling_out.canary, "let an approved version decide for a share of the accounts")
    canary.add_argument("--share", type=float, required=True, help="of the accounts, e.g. .1; at most a half")
    over = _verb(verbs, "end-rollout", rolling_out.end_rollout, "end the roll-out that is open")
    _verb(verbs, "rollouts", rolling_out.rollouts, "every roll-out, and how it stands")
    _verb(verbs, "judge-rollout", rolling_out.judge, "judge the open roll-out and act: go on, roll back, or ask for promotion")
    for verb in (shadow, canary):
        verb.add_argument("--challenger", type=written, required=True, metavar="VERSION", help="number, or beginning of a digest")
        verb.add_argument("--days", type=int, default=14, metavar="N", help="how long at most; default 14")
        verb.add_argument(
            "--limit", type=rolling_out.limit, action="append", default=[], metavar="NAME=VALUE", help="another guardrail"
        )
    for verb in (shadow, canary, over):
        verb.add_argument("--by", type=written, required=True, metavar="NAME", help="who answers for it")
        verb.add_argument("--reason", type=written, required=True, help="why, in a sentence")


def _add_deliveries(verbs: "argparse._SubParsersAction[Door]") -> None:
    own = _verb(verbs, "sender", delivering.make_sender, "make the key that this home sends releases with; say its public half")
    new = _verb(verbs, "admit-sender", delivering.admit, "let a home deliver here")
    gone = _verb(verbs, "dismiss-sender", delivering.dismiss, "let a home deliver here no longer")
    out = _verb(verbs, "send", delivering.send, "put the release in force into a folder, for another home")
    look = _verb(verbs, "parcel", delivering.parcel, "the digest of the bundle that a parcel says it holds")
    arrived = _verb(verbs, "receive", delivering.receive, "take in what another home sent")
    on = _verb(verbs, "advance", delivering.advance, "the next step of a release that arrived: canary, verdict, promotion")
    for verb in (own, new, gone, out):
        verb.add_argument("--name", type=written, required=True, help="of the home: small letters, digits and hyphens")
    new.add_argument("--key", type=written, required=True, metavar="BASE64", help="what make sender said there")
    out.add_argument("--to", type=Path, required=True, metavar="FOLDER", help="a new one")
    for verb in (look, arrived):
        verb.add_argument("--from", dest="parcel", type=Path, required=True, metavar="FOLDER", help="what make send wrote")
    on.add_argument("--bundle", type=written, required=True, metavar="DIGEST", help="its first characters are enough")
    on.add_argument("--share", type=float, default=delivering.SHARE, help=f"of the accounts; default {delivering.SHARE:g}")
    on.add_argument("--days", type=int, default=14, metavar="N", help="how long the canary lasts at most; default 14")
    on.add_argument(
        "--limit", type=rolling_out.limit, action="append", default=[], metavar="NAME=VALUE", help="another guardrail"
    )
    for verb in (new, gone, arrived, on):
        verb.add_argument("--by", type=written, required=True, metavar="NAME", help="who answers for it")
        verb.add_argument("--reason", type=written, required=True, help="why, in a sentence")


def _add_alerts(verbs: "argparse._SubParsersAction[Door]") -> None:
    _verb(verbs, "alerts", alerting.alerts, "the alerts that are open, the gravest first")
    _verb(verbs, "send-alerts", alerting.send, "tell the channels what they have not taken yet")
    seen = _verb(verbs, "acknowledge", alerting.acknowledge, "say that you are at an alert")
    settled = _verb(verbs, "close-alert", alerting.close, "say that an alert is settled")
    for verb in (seen, settled):
        verb.add_argument("--alert", type=written, required=True, metavar="ID", help="its first characters are enough")
        verb.add_argument("--by", type=written, required=True, metavar="NAME", help="who answers for it")
        verb.add_argument("--reason", type=written, required=True, help="why, in a sentence")


def _add_records(verbs: "argparse._SubParsersAction[Door]") -> None:
    one = _verb(verbs, "replay-decision", records.replay_decision, "make a past decision again, and compare")
    one.add_argument("--id", type=written, required=True, metavar="ID", help="the decision's id, from its answer")
    whose = _verb(verbs, "decisions", records.account, "the decisions on an account")
    whose.add_argument("--id", type=written, required=True, metavar="ACCOUNT", help="the account's id as the bank knows it")
    _verb(verbs, "retain", records.retain, "delete the inputs of decisions that were kept long enough")
    turn = _verb(verbs, "rotate-keys", records.rotate_keys, "hide accounts under new keys from now on")
    turn.add_argument("--by", type=written, required=True, metavar="NAME", help="who answers for it")
    turn.add_argument("--reason", type=written, required=True, help="why, in a sentence")


def _add_door_keys(verbs: "argparse._SubParsersAction[Door]") -> None:
    new = _verb(verbs, "api-key", door_keys.issue_key, "make a key that opens the scoring service; it is shown once")
    _verb(verbs, "api-keys", door_keys.list_keys, "who may ask the scoring service for what, and until when")
    end = _verb(verbs, "revoke-api-key", door_keys.revoke_key, "let a key open the scoring service no longer")
    new.add_argument("--models", type=listed, required=True, metavar="NAMES", help="separated by commas, or all")
    new.add_argument("--actions", type=listed, required=True, help=f"of {', '.join(Action)}; separated by commas, or all")
    new.add_argument("--days", type=int, required=True, metavar="N", help="how long it is in force")
    new.add_argument(
        "--reviewers", type=listed, default=[], metavar="NAMES", help="whose reviews it brings; default: its own name's"
    )
    for name, field in Allowance.model_fields.items():
        kind = float if field.annotation is float else int
        new.add_argument(
            f"--{name.replace('_', '-')}", type=kind, default=field.default, metavar="N", help=f"default {field.default:g}"
        )
    for verb in (new, end):
        verb.add_argument("--name", type=written, required=True, help="small letters, digits, dots and hyphens")
        verb.add_argument("--by", type=written, required=True, metavar="NAME", help="who answers for it")
        verb.add_argument("--reason", type=written, required=True, help="why, in a sentence")


def _add_people(verbs: "argparse._SubParsersAction[Door]") -> None:
    new = _verb(verbs, "user", people.make_user, "let a person sign in to the console; the password is shown once")
    _verb(verbs, "users", people.list_users, "who may sign in to the console, in which roles")
    end = _verb(verbs, "remove-user", people.remove_user, "let a person sign in no longer")
    new.add_argument("--roles", type=listed, required=True, metavar="NAMES", help=f"of {', '.join(Role)}; separated by commas")
    for verb in (new, end):
        verb.add_argument("--name", type=written, required=True, help="small letters, digits and hyphens")
        verb.add_argument("--by", type=written, required=True, metavar="NAME", help="who answers for it")
        verb.add_argument("--reason", type=written, required=True, help="why, in a sentence")
    own = _verb(verbs, "sign", people.sign, "sign with your own key what the console asked you to")
    own.add_argument("--document", type=written, required=True, metavar="FILE", help="as downloaded from the console")
    own.add_argument("--by", type=written, required=True, metavar="NAME", help="whose key signs")


def _add_scaling(verbs: "argparse._SubParsersAction[Door]") -> None:
    made = _verb(verbs, "generate", scaling.generate, "account-months at any size, like the real panel's")
    made.add_argument("--rows", type=count, required=True, metavar="N", help="account-months, e.g. 1000000")
    made.add_argument("--month", type=month, help="of one month of the panel; default: of all, in equal shares")
    made.add_argument("--seed", type=int, default=2005, metavar="N")
    made.add_argument("--jitter", type=float, metavar="SHARE", help="by how much amounts move; default .02")
    made.add_argument("--processes", type=count, metavar="N", help="default: the setting `workers`; the rows are the same")
    made.add_argument("--output", default="", metavar="PATH", help="a folder or s3://bucket/prefix; default: below the home")
    made.add_argument("--no-fidelity", dest="fidelity", action="store_false", help="do not measure how near to the panel it is")
    batch = _verb(verbs, "score", scaling.score, "decide a month of the lake, or what lies at a path")
    batch.add_argument("--month", type=month, help="of the lake, e.g. 2005-07")
    batch.add_argument("--input", default="", metavar="PATH", help="instead: Parquet files in a folder, or s3://bucket/prefix")
    batch.add_argument("--output", default="", metavar="PATH", help="where the answers go; of a month: below the home")
    batch.add_argument("--label", default="", metavar="NAME", help="score the same input once more, as another run")


def _verb(verbs: "argparse._SubParsersAction[Door]", name: str, run: object, about: str) -> Door:
    verb = verbs.add_parser(name, help=about, description=about)
    verb.add_argument("--model", metavar="NAME", help="the use case; default: the setting")
    verb.set_defaults(run=run)
    return verb


if __name__ == "__main__":
    sys.exit(main())
