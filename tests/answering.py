"""A predictor that is asked as the service asks it, from outside of any event loop."""

import asyncio

from serving.answers.answer import Answer, Ask
from serving.answers.desk import Desk
from serving.answers.prediction import Predictor
from serving.durability.recording import Recorder
from serving.telemetry.metering import Meter


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
