"""A predictor that is asked as the service asks it, from outside of any event loop."""

import asyncio

from serving.answering import Desk
from serving.answers import Answer, Ask
from serving.metering import Meter
from serving.prediction import Predictor
from serving.recording import Recorder


class Answering(Predictor):
    def answer(self, ask: Ask) -> Answer:
        """Decided and recorded, alone."""
        recorder = Recorder(self._log)

        async def asked() -> Answer:
            try:
                return await Desk(self, recorder, Meter()).answer(ask)
            finally:
                await asyncio.to_thread(recorder.close)

        return asyncio.run(asked())
