"""Our graph behind MLServer, in MLServer's own environment: what the best of the peers does with the same scorer.

Nothing of Steward is imported. One thread for the graph, as Steward has it.
"""

import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Graph(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(self.settings.parameters.uri, options, providers=["CPUExecutionProvider"])
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        (packed,) = payload.inputs
        rows = np.array(packed.data.root, dtype=np.float64).reshape(packed.shape)
        found = self._session.run(["probability"], {"inputs": rows})[0].tolist()
        output = ResponseOutput(name="probability", shape=[len(found)], datatype="FP64", data=found)
        return InferenceResponse(model_name=self.name, outputs=[output])
