"""From a checked record to a decision: the desk, the model in force, reasons, what would have helped."""
