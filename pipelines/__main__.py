"""The command line of the pipelines: `python -m pipelines --help`."""

import argparse
import sys
from collections.abc import Sequence

from models.errors import Held, PlatformError
from pipelines import commands
from pipelines.arguments import day, instant, month, trials

EXIT_HELD = 3  # nothing went wrong, but a person must act first


def main(arguments: Sequence[str] | None = None) -> int:
    """0: done. 1: it failed, and the message says what to do. 2: misused. 3: held for a person."""
    chosen = _parser().parse_args(arguments)
    try:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines", description="Train, watch and release models.")
    parser.add_argument("--verbose", action="store_true", help="show the flow engine's own log")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")

    ingest = _verb(verbs, "ingest", commands.ingest, "take in every month up to a day, validated")
    train = _verb(verbs, "train", commands.train, "search, gate, register and promote")
    retrain = _verb(verbs, "retrain", commands.retrain, "monitor, and train if the verdict says so")
    _verb(verbs, "monitor", commands.monitor, "report on the newest months of decisions")
    _verb(verbs, "fairness", commands.fairness, "how the champion treats groups, on its out-of-time month")
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
        verb.add_argument("--by", required=True, metavar="NAME", help="who answers for it")
        verb.add_argument("--reason", required=True, help="why, in a sentence")

    back.add_argument("--again", action="store_true", help="go back one more, from a champion that is itself a roll-back")

    _verb(verbs, "holds", commands.holds, "what waits for a person")
    again = _verb(verbs, "rebuild", commands.rebuild, "make a registered version again from its record, and compare")
    again.add_argument("--version", type=int, required=True, help="the registered version's number")
    _verb(verbs, "sbom", commands.sbom, "write the bill of materials of this environment")
    _verb(verbs, "licences", commands.licences, "check the licences of this environment against the policy")
    _verb(verbs, "schedule", commands.schedule, "run ingest, monitor and retrain on their schedules")
    replay = _verb(verbs, "replay", commands.replay, "live through a scenario, month by month")
    replay.add_argument("--scenario", choices=("2005", "shift"), default="2005")
    return parser


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, run: object, about: str
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=about, description=about)
    verb.add_argument("--model", metavar="NAME", help="the use case; default: the setting")
    verb.set_defaults(run=run)
    return verb


if __name__ == "__main__":
    sys.exit(main())
