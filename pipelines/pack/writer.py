"""Which release wrote a pack: the digest of the code that turns artefacts into documents, figures and the page.

The ledger notes it with the pack. Only the same code can write a pack again byte for byte, so only then is a difference a
forgery; see `pipelines/verification/packs.py`.
"""

from functools import cache
from importlib.resources import files

from models.bundle import canonical, sha256

_ELSEWHERE = (
    ("pipelines", "templates/pack.html"),
    ("pipelines", "adapters/pack_page.py"),
    ("models", "governance/dossier.py"),
    ("models", "governance/fairness/figures.py"),
)


@cache
def writer() -> str:
    folder = files("pipelines") / "pack"
    sources = {each.name: each.read_bytes() for each in folder.iterdir() if each.name.endswith(".py")}
    sources |= {place: files(package).joinpath(place).read_bytes() for package, place in _ELSEWHERE}
    return sha256(canonical({name: sha256(data) for name, data in sources.items()}))
