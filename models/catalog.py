"""Finding use cases. A folder of `models/` is one if its `__init__` exports `USE_CASE`."""

from importlib import import_module
from pkgutil import iter_modules

import models
from models.errors import NotFound
from models.usecase import UseCase

_NOT_USE_CASES = {"adapters", "governance"}


def names() -> list[str]:
    return sorted(found.name for found in iter_modules(models.__path__) if found.ispkg and found.name not in _NOT_USE_CASES)


def find(name: str) -> UseCase:
    if name not in names():
        raise NotFound(f"there is no use case {name!r}", hint=f"known: {', '.join(names())}; a new one is a folder under models/")
    use_case: UseCase = import_module(f"models.{name}").USE_CASE
    return use_case
