"""The evidence pack of a version: artefacts, the figures read from them, the documents that people sign, the page."""
