"""Answers for many requests at once, on one event loop: decide here, record together."""

import asyncio

from models.errors import Conflict
from serving.answers import Answer, Ask
from serving.prediction import Predictor
from serving.recording import Recorder

SMALL = 4_096
"""Bytes of a body that is decided on the spot, at most: a few records, for which a thread costs more than they do."""


async def answered(predictor: Predictor, recorder: Recorder, ask: Ask) -> Answer:
    """The answer; its decisions are durable when it returns. Raises what `Predictor.answer` raises."""
    if ask.key and (before := await asyncio.to_thread(predictor.before, ask)):
        return before
    small = len(ask.body) <= SMALL
    prepared = predictor.prepare(ask) if small else await asyncio.to_thread(predictor.prepare, ask)
    try:
        await recorder.record(prepared.entry)
    except Conflict:
        if ask.key and (before := await asyncio.to_thread(predictor.before, ask)):
            return before  # the same retry was answered by somebody else meanwhile
        raise
    return Answer(prepared.response)
