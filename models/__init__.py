"""What decides: the rules of a model's life, and one folder per use case."""

import os

# onnxruntime sends usage figures to its makers unless it is told not to before it is imported, by whoever imports it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
