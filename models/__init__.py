"""What decides: the rules of a model's life, and one folder per use case."""

import os

# onnxruntime begins a thread that sends usage figures to its makers, unless it is told not to before it is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
