"""What a model was made with is written down in a form that others can check, and its licences follow a policy."""

import json
import re
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from models.errors import Misconfigured
from pipelines.supply import BILL, LICENCES, Kind, Library, LicencePolicy, Subject, bill, documents, policy

RULES = LicencePolicy(
    allowed=frozenset({"MIT", "Apache-2.0", "LicenseRef-BSD"}),
    spellings={"MIT License": "MIT", "BSD License": "LicenseRef-BSD"},
    exceptions={"readonly": {"licence": "GPL-3.0-only", "reason": "only its data file is read"}},
)
LIBRARIES = (
    Library("alpha", "1.0", "MIT License", ("a" * 64, "b" * 64)),
    Library("beta", "2.0+local", "Apache-2.0 OR GPL-2.0-only"),
    Library("gamma", "0.1rc1", "unknown"),
    Library("delta", "3", "Do What You Like, But Not On Sundays"),
    Library("python", "3.11.9", "MIT", kind=Kind.INTERPRETER),
    Library("readonly", "1", "GPL"),
)
SUBJECT = Subject.bundle("credit_default", "c" * 64)


def refused(licence: str) -> bool:
    return any(line.startswith("one 1.0") for line in RULES.refusals([Library("one", "1.0", licence)]))


def faults(document: bytes) -> Any:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(document.decode())


def test_the_bill_is_valid_by_the_schema_of_its_format_and_others_can_read_it() -> None:
    document = documents(LIBRARIES, RULES, SUBJECT)[BILL]
    assert faults(document) is None
    read: Any = Bom.from_json(json.loads(document))  # type: ignore[attr-defined]
    assert {(part.name, part.version) for part in read.components} == {(each.name, each.version) for each in LIBRARIES}
    assert read.metadata.component.version == SUBJECT.digest


def test_a_bill_of_another_form_would_be_noticed() -> None:
    """So that the validator is seen to look."""
    document = bill(LIBRARIES, RULES, SUBJECT)
    document["components"][0]["licenses"] = [{"license": {"id": "MITT"}}]
    assert faults(json.dumps(document).encode()) is not None


def test_the_bill_names_the_bundle_it_is_about_and_nothing_of_the_day() -> None:
    first, again = (documents(LIBRARIES, RULES, SUBJECT) for _ in range(2))
    other = documents(LIBRARIES, RULES, Subject.bundle("credit_default", "d" * 64))
    assert first == again
    assert json.loads(first[BILL])["serialNumber"] != json.loads(other[BILL])["serialNumber"]
    assert not re.search(rb"20\d\d-\d\d-\d\d", first[BILL])
    assert json.loads(first[LICENCES])["subject"].endswith("c" * 64)


def test_a_library_carries_every_hash_that_the_lock_admits() -> None:
    alpha = bill(LIBRARIES, RULES, SUBJECT)["components"][0]
    assert [each["content"] for each in alpha["externalReferences"][0]["hashes"]] == ["a" * 64, "b" * 64]
    assert alpha["purl"] == "pkg:pypi/alpha@1.0"


def test_the_list_of_licences_says_why_an_exception_may_stay_and_what_is_refused() -> None:
    listed = json.loads(documents(LIBRARIES, RULES, SUBJECT)[LICENCES])
    assert listed["exceptions"] == {"readonly": "only its data file is read"}
    assert [line.split()[0] for line in listed["refused"]] == ["gamma", "delta"]


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "MIT License",
        "BSD License",
        "MIT AND Apache-2.0",
        "MIT OR GPL-3.0-only",
        "GPL-3.0-only OR (MIT AND Apache-2.0)",
        "GPL-3.0-only AND MIT OR Apache-2.0",
        "MIT OR GPL-3.0-only AND AGPL-3.0-only",
    ],
)
def test_an_allowed_licence_is_not_refused(licence: str) -> None:
    assert not refused(licence)


@pytest.mark.parametrize(
    "licence",
    [
        "GPL-3.0-only",
        "unknown",
        "",
        "MIT AND GPL-3.0-only",
        "GPL-3.0-only AND MIT",
        "(MIT OR Apache-2.0) AND GPL-3.0-only",
        "GPL-3.0-only AND (MIT OR Apache-2.0)",
        "MIT WITH something-else",
        "MIT OR",
        "(MIT",
        "MIT)",
        "MIT Apache-2.0",
        "AND MIT",
    ],
)
def test_everything_else_is_refused(licence: str) -> None:
    assert refused(licence)


@given(st.recursive(st.sampled_from(["MIT", "GPL-3.0-only"]), lambda one: st.tuples(one, st.sampled_from(["AND", "OR"]), one)))
def test_an_expression_is_admitted_as_logic_says(tree: Any) -> None:
    def spelt(node: Any) -> str:
        return node if isinstance(node, str) else f"({spelt(node[0])} {node[1]} {spelt(node[2])})"

    def holds(node: Any) -> bool:
        if isinstance(node, str):
            return bool(node == "MIT")
        left, right = holds(node[0]), holds(node[2])
        return left and right if node[1] == "AND" else left or right

    assert refused(spelt(tree)) is not holds(tree)


def test_an_exception_needs_a_reason_and_something_to_except() -> None:
    silent = LicencePolicy(RULES.allowed, {}, {"readonly": {"licence": "GPL-3.0-only", "reason": ""}, "gone": {"reason": "old"}})
    assert silent.refusals([LIBRARIES[-1]]) == [
        "readonly: an exception without a reason",
        "gone: an exception for what is not installed",
    ]


def test_a_policy_that_lacks_a_table_is_refused() -> None:
    with pytest.raises(Misconfigured, match="lacks a table"):
        policy({"allowed": ["MIT"]})
