"""A cohort as it arrives, made fit to be kept: accounts hidden under keys, and the facts that an outcome is stored with."""

import re
from dataclasses import replace

import numpy as np

from models.contract import Array, Contract
from models.errors import Misconfigured
from models.governance.pseudonyms import Keyring, masked
from models.usecase import Cohort, UseCase


def hidden(cohort: Cohort, contract: Contract, ring: Keyring) -> Cohort:
    """From here on nobody meets an id: not the checks, not their pages, not quarantine and not the lake."""
    key, pattern = contract.key, contract[contract.key].pattern
    if pattern and not re.search(pattern, ring.pseudonym("")):
        raise Misconfigured(
            f"{key} of {contract.name} must match {pattern}, which no pseudonym does",
            hint="widen the contract's pattern: up to 40 letters, digits and underscores",
        )
    columns = {name: masked(ring, values, pattern) if name == key else values for name, values in cohort.columns.items()}

    def audited(values: Array) -> Array:
        return columns[key] if key in columns and same(values, cohort.columns[key]) else masked(ring, values, pattern)

    audit = {name: audited(values) if name == key else values for name, values in cohort.audit.items()}
    return replace(cohort, columns=columns, audit=audit)


def same(one: Array, other: Array) -> bool:
    """Whether the same rows stand here and there: then what was made of one column is what would be made of the other."""
    return one is other or (one.dtype.kind == other.dtype.kind == "U" and np.array_equal(one, other))


def outcome_facts(use_case: UseCase, cohort: Cohort, definition: int) -> dict[str, str]:
    """What is stored with an outcome: when it matured, how its codes are to be read, and the definition that read them."""
    return {
        "matured_at": use_case.matured_at(cohort.month).isoformat(),
        "coding": cohort.coding,
        "definition_version": str(definition),
    }
