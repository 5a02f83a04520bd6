"""What a service saw last, as a file: `{"pointers credit_default": [3, "<digest>"], "stops credit_default": [2, "<digest>"]}`."""

import json
from collections.abc import Mapping
from pathlib import Path

from models.adapters import durable
from models.bundle import canonical
from models.errors import Integrity, Unavailable
from serving.release.memory import Mark


class MemoryFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def marks(self) -> Mapping[str, Mark]:
        try:
            read = json.loads(self._path.read_bytes())
            return {str(name): (int(number), str(digest)) for name, (number, digest) in read.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise Integrity(
                f"{self._path} cannot be read: what was seen last on the release channel is not known",
                hint="run make verify; when it finds nothing, delete the file",
            ) from error

    def keep(self, marks: Mapping[str, Mark]) -> None:
        try:
            durable.replace(self._path, canonical(dict(marks)))
        except OSError as error:
            raise Unavailable(
                f"{self._path} cannot be written: {error.strerror}",
                hint="the model answers on; after a restart nothing would be known of what was taken away from the channel",
            ) from error
