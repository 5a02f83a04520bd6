"""What was ended stays ended, and is forgotten once no cookie could name it."""

from monitoring.console.access.sessions import LONGEST_SECONDS, TOKEN, Session, Sessions


def test_an_ended_session_is_remembered_until_it_would_have_lapsed_and_a_stranger_s_not_at_all() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    first: Session = {TOKEN: "a"}
    sessions.begin(first)
    copied = dict(first)
    assert sessions.lasts(first)
    sessions.end(first)
    assert not first
    assert not sessions.lasts(copied)
    sessions.end({TOKEN: "of a stranger"})
    assert list(sessions._ended) == ["a"]
    now[0] = LONGEST_SECONDS
    assert not sessions.lasts(copied)
    second: Session = {TOKEN: "b"}
    sessions.begin(second)
    sessions.end(second)
    assert list(sessions._ended) == ["b"]
