"""Running a bundle's graph with onnxruntime. Nothing but onnxruntime and NumPy is imported: serving starts with this."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as states

from models.adapters.onnx_operators import check_operators
from models.errors import Integrity

# onnxruntime's errors share no base class of their own.
_REFUSED = (states.Fail, states.InvalidArgument, states.InvalidGraph, states.InvalidProtobuf, states.NotImplemented)


class OnnxScorer:
    """A `Scorer`. One thread and sequential execution: equal input gives equal bits, and any number of callers may share it."""

    def __init__(self, graph: bytes) -> None:
        """Raises `Integrity`; a graph with an operator that is not allowed never reaches the runtime."""
        check_operators(graph)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.use_deterministic_compute = True
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except _REFUSED as error:
            raise Integrity("the graph cannot be loaded", hint="it was not sealed by this platform's export") from error

    def probabilities(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._run("probability", inputs)

    def log_odds(self, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Packed contract inputs, shape (rows, inputs), to calibrated log-odds, shape (rows,)."""
        return self._run("log_odds", inputs)

    def _run(self, output: str, inputs: NDArray[np.float64]) -> NDArray[np.float64]:
        packed = np.ascontiguousarray(inputs, dtype=np.float64)
        try:
            result: NDArray[np.float64] = self._session.run([output], {"inputs": packed})[0]
        except _REFUSED as error:
            raise Integrity(
                f"the graph does not take inputs of shape {packed.shape}", hint="pack the columns of the bundle's own contract"
            ) from error
        return result
