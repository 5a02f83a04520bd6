"""Messages leave once for each channel, are tried again when one does not take them, and never stop anything."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from models.alerting import Severity
from models.clock import FixedClock
from models.errors import Conflict, InputRefused, NotFound, Unavailable
from models.governance.ledger import Event
from monitoring.alerts.acts import act
from monitoring.alerts.alert import Act, Alert
from monitoring.alerts.delivery import ATTEMPTS, Delivered, deliver, pause
from monitoring.alerts.messages import Message, message
from monitoring.alerts.upkeep import ended
from tests.alerting import MODEL, NOON, about, an_alert, cause, opened
from tests.fakes.alerts import FakeAlertBook
from tests.fakes.ledger import FakeLedger

CONSOLE = "http://127.0.0.1:8090"


@dataclass
class FakeChannel:
    name: str = "on-call"
    down: bool = False
    got: list[Message] = field(default_factory=list)
    while_sending: Any = None

    def send(self, message: Message) -> None:
        if self.while_sending:
            self.while_sending()
        if self.down:
            raise Unavailable(f"channel {self.name} did not take a message")
        self.got.append(message)


@dataclass
class Post:
    """A book with alerts, and two channels."""

    book: FakeAlertBook = field(default_factory=FakeAlertBook)
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOON))
    webhook: FakeChannel = field(default_factory=FakeChannel)
    mail: FakeChannel = field(default_factory=lambda: FakeChannel("mail"))

    def keep(self, *alerts: Alert) -> None:
        self.book.revise(MODEL, lambda _: list(alerts))

    def round(self, **later: float) -> Delivered:
        self.clock.set(self.clock.now() + timedelta(**later))
        return deliver(self.book, [self.webhook, self.mail], self.clock, CONSOLE)

    @property
    def alert(self) -> Alert:
        return self.book.alerts(MODEL)[0]


@pytest.fixture
def post() -> Post:
    return Post()


def test_each_channel_hears_of_an_alert_once(post: Post) -> None:
    post.keep(an_alert())

    assert post.round() == Delivered(2, {})
    assert post.round(days=30) == Delivered(0, {})
    assert len(post.webhook.got) == len(post.mail.got) == 1
    assert post.alert.notices[0].done


def test_a_message_says_what_how_bad_since_when_what_to_do_and_where(post: Post) -> None:
    (alert,) = opened([cause("unit_change", "bill_0", text="bill_0 is about a 1,000th of what it was.", evidence="/models/m/r")])

    said = message("raised", [alert], CONSOLE)

    assert said.title == "PAGE credit_default: An amount came in another unit"
    assert said.body.splitlines() == [
        "bill_0 is about a 1,000th of what it was.",
        "Since 2005-09.",
        "Do: Ask the data owner what they changed, and stop the model if decisions are wrong: make stop.",
        "Head of Cards has until 2005-11-02 12:00 UTC.",
        "Evidence: http://127.0.0.1:8090/models/m/r",
        "Runbook: docs/runbooks/unit_change.md",
        f'make acknowledge ALERT={alert.id} BY=… REASON="…"',
    ]


def test_only_the_channel_that_did_not_take_it_is_tried_again(post: Post) -> None:
    post.keep(an_alert())
    post.mail.down = True

    assert post.round() == Delivered(1, {"mail": "channel mail did not take a message"})
    assert post.alert.notices[0].failure == "channel mail did not take a message"
    assert post.round(seconds=59) == Delivered(0, {})
    post.mail.down = False
    assert post.round(seconds=1) == Delivered(1, {})
    assert (len(post.webhook.got), len(post.mail.got)) == (1, 1)
    assert post.alert.notices[0].failure == ""


def test_pauses_grow_to_six_hours_and_then_it_is_given_up_visibly(post: Post) -> None:
    post.keep(an_alert())
    post.mail.down = True

    for _ in range(ATTEMPTS + 5):
        post.round(hours=6)

    assert [pause(n).total_seconds() / 60 for n in (1, 2, 3, 20)] == [1, 2, 4, 360]
    (notice,) = post.alert.notices
    assert (notice.attempts, notice.done, notice.taken_by) == (ATTEMPTS, True, ("on-call",))
    assert "mail" in notice.failure


def test_of_two_senders_at_once_one_sends(post: Post) -> None:
    post.keep(an_alert())
    post.webhook.while_sending = lambda: deliver(post.book, [post.mail], post.clock, CONSOLE)

    assert post.round() == Delivered(2, {})
    assert len(post.mail.got) == 1


def test_what_a_killed_sender_had_claimed_is_sent_after_the_pause(post: Post) -> None:
    post.keep(an_alert())

    class Killed(BaseException): ...

    def kill() -> None:
        raise Killed

    post.webhook.while_sending = kill
    with pytest.raises(Killed):
        post.round()
    post.webhook.while_sending = None

    assert post.round(seconds=59).sent == 0
    assert post.round(seconds=1).sent == 2


def test_an_act_while_a_message_leaves_is_kept(post: Post) -> None:
    post.keep(an_alert())
    closed = Act(by="ana", reason="r", at=NOON.isoformat())
    post.webhook.while_sending = lambda: post.book.revise(MODEL, lambda alerts: [ended(a, closed) for a in alerts if a.is_open])

    post.round()

    assert post.alert.closed == closed
    assert [notice.event for notice in post.alert.notices] == ["raised", "closed"]
    assert all(notice.taken_by == ("on-call", "mail") for notice in post.alert.notices)
    assert [said.over for said in post.webhook.got] == [False, True]


def test_a_second_sender_repeats_nothing_however_long_the_first_one_takes(post: Post) -> None:
    post.keep(*opened([cause(kind) for kind in ("score_shift", "skew", "volume", "missing")]))

    def slow() -> None:
        post.clock.set(post.clock.now() + timedelta(seconds=40))
        deliver(post.book, [post.mail], post.clock, CONSOLE)

    post.webhook.while_sending = slow
    post.round()
    post.webhook.while_sending = None
    post.round(hours=1)

    assert len(post.mail.got) == len({said.title for said in post.mail.got}) == 4


def test_a_round_tries_each_letter_once_however_long_it_takes(post: Post) -> None:
    post.keep(*opened([cause("score_shift"), cause("skew")]))
    post.webhook.down = True
    post.webhook.while_sending = lambda: post.clock.set(post.clock.now() + timedelta(hours=1))

    post.round()

    assert [alert.notices[0].attempts for alert in post.book.alerts(MODEL)] == [1, 1]


@pytest.mark.parametrize("given_up", [False, True])
def test_that_it_is_over_is_told_to_those_who_heard_of_it_and_to_nobody_else(post: Post, given_up: bool) -> None:
    post.keep(an_alert())
    post.mail.down = True
    for _ in range(ATTEMPTS if given_up else 1):
        post.round(hours=6)
    post.mail.down = False
    post.book.revise(MODEL, lambda alerts: [ended(a, Act(by="ana", reason="r", at=NOON.isoformat())) for a in alerts])
    post.round(hours=6)

    assert [said.over for said in post.webhook.got] == [False, True]
    assert post.mail.got == []
    assert all(notice.done for notice in post.alert.notices)


def test_nobody_is_told_the_end_of_what_nobody_took(post: Post) -> None:
    post.keep(an_alert())
    post.mail.down = post.webhook.down = True
    post.round()
    post.mail.down = post.webhook.down = False
    post.book.revise(MODEL, lambda alerts: [ended(a, Act(by="ana", reason="r", at=NOON.isoformat())) for a in alerts])

    assert post.round(hours=6) == Delivered(0, {})
    assert all(notice.done for notice in post.alert.notices)


def test_several_inputs_that_shift_at_once_are_one_message(post: Post) -> None:
    post.keep(*opened([cause("input_shift", name) for name in ("bill_0", "bill_1", "payment_0")]))

    post.round()

    (said,) = post.webhook.got
    assert said.title == "PAGE credit_default: An input has shifted (and 2 more)"
    assert all(name in said.body for name in ("bill_0", "bill_1", "payment_0"))
    assert all(alert.notices[0].done for alert in post.book.alerts(MODEL))


def test_pages_and_warnings_are_told_apart_and_pages_first(post: Post) -> None:
    post.keep(*opened([cause("input_shift", "bill_0", severity=Severity.WARNING), cause("input_shift", "bill_1")]))

    post.round()

    assert [said.severity for said in post.webhook.got] == [Severity.PAGE, Severity.WARNING]


def test_that_it_is_over_is_told_as_such(post: Post) -> None:
    alert = ended(an_alert(), Act(by="ana", reason="a campaign", at=NOON.isoformat()))

    said = message("closed", [alert], CONSOLE)

    assert said.over
    assert said.title == "PAGE credit_default: over: The score has shifted"
    assert "Closed by ana: a campaign" in said.body


def test_without_channels_everything_waits(post: Post) -> None:
    post.keep(an_alert())

    assert deliver(post.book, [], post.clock, CONSOLE) == Delivered(0, {})
    assert post.alert.notices[0].attempts == 0


@pytest.mark.parametrize(("doing", "event"), [("acknowledge", Event.ALERT_ACKNOWLEDGED), ("close", Event.ALERT_CLOSED)])
def test_a_persons_act_stands_in_the_ledger(post: Post, doing: Any, event: Event) -> None:
    alert, ledger = an_alert(), FakeLedger()
    post.keep(alert)

    done = act(post.book, ledger, post.clock, doing, alert.id[:4], by=" ana ", reason="a campaign")

    (entry,) = ledger.entries(MODEL)
    assert (entry.event, entry.actor, entry.facts["alert"], entry.facts["reason"]) == (event, "ana", alert.id, "a campaign")
    assert done == post.alert
    assert (done.acknowledged or done.closed) == Act(by="ana", reason="a campaign", at=NOON.isoformat())


def test_what_cannot_be_done_leaves_no_entry(post: Post) -> None:
    ledger = FakeLedger()
    with pytest.raises(NotFound, match="no alert 'feed'"):
        act(post.book, ledger, post.clock, "close", "feed", by="ana", reason="r")
    post.keep(an_alert())
    with pytest.raises(InputRefused):
        act(post.book, ledger, post.clock, "close", post.alert.id, by="ana", reason=" ")
    act(post.book, ledger, post.clock, "close", post.alert.id, by="ana", reason="r")
    with pytest.raises(Conflict):
        act(post.book, ledger, post.clock, "close", post.alert.id, by="ben", reason="r")
    assert len(ledger.entries()) == 1


def test_a_round_of_nothing_is_nothing() -> None:
    assert about().now == NOON
    assert Post().round() == Delivered(0, {})
