"""Check, predict, record; and change the model while it answers. Nothing here knows of HTTP.

A new release is loaded completely, its golden rows scored, before the old one is let go: a bundle that cannot serve is
found while another one still does. The change itself is one assignment. A request holds on to the model that it began
with, so no answer mixes two versions.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.clock import Clock, Month
from models.errors import InputRefused, Integrity, NoChampion, NotApproved, NotFound, PlatformError
from monitoring.decisions import Intake
from serving.answers.answer import Answer, Ask, given_before
from serving.answers.checking import refuse_the_future
from serving.answers.counterfactuals import counterfactual
from serving.answers.deciding import Checked, Circumstances, Prepared, together
from serving.answers.ids import new_id
from serving.answers.loaded import LoadedModel, expired
from serving.rollout.arms import in_arms
from serving.rollout.trial import Trial


@dataclass(frozen=True)
class Halt:
    """A model that a person stopped: what every client is told, and what answers in its place, if anything."""

    why: PlatformError
    fallback: LoadedModel | None = None


class Predictor:
    """Answers for every model that was swapped in. Safe for several threads."""

    def __init__(self, log: Intake, clock: Clock, hide: Callable[[str], str], new_id: Callable[[], str] = new_id) -> None:
        self._log = log
        self._clock = clock
        self._hide = hide  # account id to pseudonym: no id is recorded
        self._new_id = new_id
        self._models: Mapping[str, LoadedModel] = {}
        self._stopped: Mapping[str, NotApproved] = {}
        self._halted: Mapping[str, Halt] = {}
        self._sequences: dict[str, int] = {}
        self._trials: Mapping[str, Trial] = {}

    @property
    def models(self) -> Mapping[str, LoadedModel]:
        """What is served now, by name."""
        return self._models

    @property
    def stopped(self) -> Mapping[str, NotApproved]:
        """What may not answer any more, by name, and why."""
        return self._stopped

    def swap(self, model: LoadedModel) -> None:
        """Serve this release from the next request on. Raises `Integrity` if it is older than the one served."""
        pointer = model.pointer
        newest = self._sequences.get(pointer.model, 0)
        if pointer.sequence < newest:
            raise Integrity(
                f"pointer {pointer.sequence} of {pointer.model} is older than {newest}, which was served here",
                hint="an old state of the channel was put back; roll back by publishing a new pointer",
            )
        self._sequences[pointer.model] = pointer.sequence
        self._models = {**self._models, pointer.model: model}
        self._stopped = {name: why for name, why in self._stopped.items() if name != pointer.model}

    def stop(self, name: str, why: NotApproved) -> None:
        """Answer no further request with this model, and say why; until a release of it is swapped in again."""
        self._stopped = {**self._stopped, name: why}
        self._models = {other: model for other, model in self._models.items() if other != name}

    @property
    def halted(self) -> Mapping[str, "Halt"]:
        """What a person stopped, by name; its champion is kept ready in `models`."""
        return self._halted

    @property
    def answering(self) -> list[LoadedModel]:
        """What answers now: the champions, and the fallbacks of those that a person stopped."""
        halted = self._halted
        found = [halted[name].fallback if name in halted else model for name, model in self._models.items()]
        return [model for model in found if model is not None]

    def halt(self, name: str, halt: "Halt | None") -> None:
        """From the next request on let a fallback or nobody answer; None lets the champion answer again."""
        others = {other: found for other, found in self._halted.items() if other != name}
        self._halted = others if halt is None else {**others, name: halt}

    @property
    def trials(self) -> Mapping[str, Trial]:
        """The roll-outs that apply, by model."""
        return self._trials

    def try_out(self, name: str, trial: Trial | None) -> None:
        """From the next request on try a challenger beside the champion; None ends that, and lets go of it."""
        others = {other: found for other, found in self._trials.items() if other != name}
        self._trials = others if trial is None else {**others, name: trial}

    def before(self, ask: Ask) -> Answer | None:
        """What was answered under the same key, whatever is served by now. Raises `Conflict` if it was another body."""
        found = self._log.answered(ask.key) if ask.key else None
        return given_before(found, ask) if found else None

    def prepare(self, asks: Sequence[Ask]) -> list[Prepared | PlatformError]:
        """Decide all of them together; each gets its own answer or refusal. Nothing is recorded, so nobody may be told yet.

        The refusals: `InputRefused`, `NotFound`, `NoChampion`, `NotApproved` (the approval ended). Raises `Integrity` if the
        graph fails over any of them: then nothing is decided for anybody.
        """
        beside = Circumstances(self._clock.now(), self._hide, self._new_id)
        found = [self._checked(ask, beside.now) for ask in asks]
        outcomes: dict[int, Prepared | PlatformError] = {}
        sound: dict[int, list[tuple[int, Checked]]] = {}
        for place, each in enumerate(found):
            if isinstance(each, Checked):
                sound.setdefault(id(each.model), []).append((place, each))
            else:
                outcomes[place] = each
        for requests in sound.values():
            places, checked = zip(*requests, strict=True)
            outcomes |= zip(places, self._decided(checked, beside), strict=True)
        return [outcomes[place] for place in range(len(asks))]

    def counsel(self, ask: Ask) -> bytes:
        """What would have had to be different; nothing is decided or recorded. Raises what `prepare` refuses."""
        return counterfactual(self.model(ask.model), ask, Month.of(self._clock.now().date()))

    def model(self, name: str) -> LoadedModel:
        """What answers for a model now. Raises `NotFound`, `NoChampion` or `NotApproved`."""
        models, stopped, halt = self._models, self._stopped, self._halted.get(name)
        if halt:
            if halt.fallback is None:
                raise halt.why
            return self._approved(halt.fallback)
        if name in models:
            return self._approved(models[name])
        if name in stopped:
            raise stopped[name]
        if not models:
            raise NoChampion("no model is served yet", hint="run `make train`; /health/ready says what is missing")
        raise NotFound(f"no model {name!r} is served here", hint=f"served: {', '.join(sorted(models))}")

    def only(self, name: str = "") -> LoadedModel:
        """The named model, or the only one if none is named. Raises what `model` raises; `InputRefused` if several are served."""
        served = sorted({*self._models, *self._stopped})
        if not name and len(served) > 1:
            raise InputRefused("several models are served, and none is named", hint=f"name one of {', '.join(served)}")
        return self.model(name or next(iter(served), ""))

    def _decided(self, checked: Sequence[Checked], beside: Circumstances) -> Iterator[Prepared]:
        """Requests to one model."""
        if self._trials:
            model = checked[0].model
            trial = self._trials.get(model.pointer.model)
            if trial and trial.decides(model, beside.now):
                return in_arms(trial, checked, beside)
        return together(checked, beside)

    def _approved(self, model: LoadedModel) -> LoadedModel:
        """Asked at every request: an approval may end between two looks at the channel."""
        if self._clock.now() >= model.expires_at:
            raise expired(model)
        return model

    def _checked(self, ask: Ask, now: datetime) -> Checked | PlatformError:
        try:
            model = self.model(ask.model)
            if ask.version not in (None, model.pointer.version):
                raise NotFound(
                    f"version {ask.version} of {ask.model!r} does not answer any more", hint=f"{model.pointer.version} does"
                )
            records = model.checker.records(ask.body)
            refuse_the_future(records, model.contract.time, Month.of(now.date()))
        except PlatformError as error:
            return error
        return Checked(model, ask, records)
