"""The real library, a real webhook and a real mail server: what people get to see, and what nobody may see."""

import logging
from email.message import Message as Mail
from pathlib import Path

import pytest

from models.alerting import Severity
from models.clock import FixedClock
from models.errors import Misconfigured, Unavailable
from monitoring.adapters.alert_folder import AlertFolder
from monitoring.adapters.apprise_channels import channels
from monitoring.alerts.delivery import deliver
from monitoring.alerts.messages import Message
from tests.alerting import MODEL, NOON, an_alert
from tests.receivers import dripping, mailbox, webhook

pytestmark = pytest.mark.integration

TOKEN = "s3cr3t-t0k3n"
SAID = Message("PAGE credit_default: The score has shifted", "What.\nDo: this.", Severity.PAGE)


def file_of(folder: Path, *lines: str) -> Path:
    path = folder / "channels"
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    return path


def text_of(mail: Mail) -> str:
    parts = [part for part in mail.walk() if part.get_content_type() == "text/plain"]
    payload = parts[0].get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


def test_a_webhook_and_a_mailbox_get_the_alert_of_the_book(tmp_path: Path) -> None:
    book, alert = AlertFolder(tmp_path / "alerts"), an_alert()
    book.revise(MODEL, lambda _: [alert])
    with webhook() as hook, mailbox() as box:
        found = channels(
            file_of(
                tmp_path,
                "# who is on call",
                f"on-call json://127.0.0.1:{hook.port}/hooks/{TOKEN}",
                f"mail mailto://127.0.0.1:{box.port}?from=steward@bank.example&to=cards@bank.example&mode=insecure",
            )
        )
        done = deliver(book, found, FixedClock(NOON), "http://127.0.0.1:8090")

    assert (done.sent, done.failures) == (2, {})
    ((path, posted),) = hook.posts
    assert path == f"/hooks/{TOKEN}"
    assert (posted["title"], posted["type"]) == ("PAGE credit_default: The score has shifted", "failure")
    assert posted["message"].splitlines()[0] == "score_shift of score."
    assert f"make acknowledge ALERT={alert.id}" in posted["message"]
    (mail,) = box.mails
    assert mail["Subject"] == "PAGE credit_default: The score has shifted"
    assert "cards@bank.example" in mail["To"]
    assert "Runbook: docs/runbooks/score_shift.md" in text_of(mail)


def test_a_webhook_that_refuses_has_not_taken_it(tmp_path: Path) -> None:
    with webhook() as hook:
        hook.status = 500
        (channel,) = channels(file_of(tmp_path, f"on-call json://127.0.0.1:{hook.port}/{TOKEN}"))
        with pytest.raises(Unavailable, match="channel on-call did not take a message"):
            channel.send(SAID)
    assert len(hook.posts) == 1


def test_a_webhook_that_never_comes_to_an_end_is_given_up_on_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    with dripping() as hook:
        (channel,) = channels(file_of(tmp_path, f"on-call json://127.0.0.1:{hook.port}/{TOKEN}"), longest=6)
        with pytest.raises(Unavailable, match="did not take a message within 6 seconds") as refused:
            channel.send(SAID)
        assert hook.given_up.wait(10)
    assert TOKEN not in str(refused.value)


def test_a_message_does_not_go_where_somebody_else_points(tmp_path: Path) -> None:
    with webhook() as hook, webhook() as other:
        hook.status, hook.elsewhere = 307, f"http://127.0.0.1:{other.port}/"
        (channel,) = channels(file_of(tmp_path, f"on-call json://127.0.0.1:{hook.port}/{TOKEN}"))
        with pytest.raises(Unavailable):
            channel.send(SAID)
    assert (len(hook.posts), other.posts) == (1, [])


def test_no_address_is_ever_logged_or_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with webhook() as hook:
        (channel,) = channels(file_of(tmp_path, f"on-call json://user:{TOKEN}@127.0.0.1:{hook.port}/{TOKEN}?token={TOKEN}"))
        channel.send(SAID)
        hook.status = 500
        with pytest.raises(Unavailable) as refused:
            channel.send(SAID)
    with pytest.raises(Unavailable) as away:
        channel.send(SAID)
    with pytest.raises(Misconfigured) as wrong:
        channels(file_of(tmp_path, f"on-call nothing://{TOKEN}"))

    out, err = capfd.readouterr()
    assert TOKEN not in "".join([caplog.text, out, err, *(str(each.value) for each in (refused, away, wrong))])


@pytest.mark.parametrize("line", ["on-call", "On-Call json://127.0.0.1", "on-call no-address"])
def test_a_line_that_names_no_channel_is_told_by_its_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(Misconfigured, match="line 2 of"):
        channels(file_of(tmp_path, "", line))


def test_two_channels_do_not_share_a_name(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="have one name"):
        channels(file_of(tmp_path, "mail json://127.0.0.1", "mail json://127.0.0.2"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o610])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = file_of(tmp_path, "mail json://127.0.0.1")
    path.chmod(mode)

    with pytest.raises(Misconfigured, match="chmod 600"):
        channels(path)


def test_a_file_that_is_not_there_is_a_mistake_and_none_is_no_channel(tmp_path: Path) -> None:
    assert channels(None) == []
    with pytest.raises(Misconfigured, match="cannot be read"):
        channels(tmp_path / "nowhere")
