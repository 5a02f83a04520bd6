"""A version is made again from its own record, or what stands in the way is named."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from functools import cache
from typing import Any

import numpy as np

from models.adapters.gradient_boosting import GradientBoosting
from models.adapters.graph_trees import from_trees_on, trees
from models.adapters.onnx_graph import export
from models.adapters.onnx_runtime import OnnxScorer
from models.adapters.scorecard import Scorecard
from models.bundle import MANIFEST, Bundle, canonical, sha256
from models.calibration import IDENTITY
from models.clock import Month
from models.contract import Columns
from models.credit_default import USE_CASE as CREDIT_DEFAULT
from models.errors import Integrity
from models.lake import OUTCOMES, SNAPSHOTS, Lake, PartitionVersion
from models.policy import CutOffs
from models.usecase import UseCase
from pipelines.assessment import Workshop, sealed
from pipelines.dataset import Dataset, load
from pipelines.packaging import Origin
from pipelines.proofs import Anatomy
from pipelines.rebuild.compare import Likeness, Rebuilt, rebuild
from pipelines.rebuild.run import lines
from pipelines.training import Recipe, refit
from tests.bundles import fake_bundle
from tests.datasets import dataset
from tests.fakes.lake import InMemoryLake

CUT_OFFS = CutOffs(review=0.2, reduce=0.42)  # where these accounts lie, so that a reduced one has somebody to be compared with
USE_CASE = replace(CREDIT_DEFAULT, policy=CREDIT_DEFAULT.policy.model_copy(update={"cut_offs": CUT_OFFS}))
MONTHS = (Month(2005, 5), Month(2005, 6))
AS_OF = Month(2005, 7).last_day
LATER = datetime(2005, 9, 1, tzinfo=UTC)
THEN = Origin("a" * 40, "1" * 64)
WORKSHOP = Workshop((Scorecard(), GradientBoosting()), export, OnnxScorer, THEN, Anatomy(trees, from_trees_on))
TREES = {"trees": 20, "leaves": 7, "learning_rate": 0.1, "minimum_leaf": 0.01, "row_share": 0.8, "feature_share": 0.8, "l2": 1.0}
RECIPE = Recipe(
    use_case=USE_CASE.name,
    family="gradient_boosting",
    features=("months_behind_0", "utilisation_0", "credit_limit"),
    parameters=TREES,
    calibration=IDENTITY,
    seed=3,
    development=("2005-05",),
    definition_version=1,
    search={},
)


def no_change(columns: Columns) -> Columns:
    return columns


def lake_of(change: Callable[[Columns], Columns] = no_change, *, without: Month | None = None) -> Lake:
    """Two months of a bank; `change` is made to the snapshots of June."""
    lake, rows = InMemoryLake(), dataset(("2005-05", "2005-06"), 1_500)
    for month in MONTHS:
        here = rows.months == str(month)
        columns = {name: values[here] for name, values in rows.columns.items()}
        matured = month.plus(1).last_day
        facts = {"matured_at": matured.isoformat(), "definition_version": "1", "coding": "repayment_status"}
        codes = {"account_id": rows.accounts[here], "outcome_code": rows.bad[here].astype(np.int64)}
        known = datetime.combine(matured, time(23), UTC)
        if month != without:
            lake.write(SNAPSHOTS, month, change(columns) if month == MONTHS[-1] else columns, recorded_at=known)
        lake.write(OUTCOMES, month, codes, recorded_at=known, facts=facts)
    return lake


@cache
def matured() -> Dataset:
    return load(USE_CASE, lake_of(), MONTHS, AS_OF, LATER)


@cache
def made(seed: int = 3, **parameters: float) -> Bundle:
    """Trained once, sealed once."""
    recipe = replace(RECIPE, seed=seed, parameters={**TREES, **parameters})
    return sealed(USE_CASE, refit(recipe, USE_CASE, WORKSHOP.families, matured()), matured(), WORKSHOP, as_of=AS_OF.isoformat())


@dataclass(frozen=True)
class Archive:
    """What is found when a version is asked for: by default everything as it was."""

    bundle: Bundle
    use_case: UseCase = USE_CASE
    now: Origin = THEN
    recipe: Mapping[str, Any] | None = None
    libraries: tuple[tuple[str, str], ...] = (("lightgbm", "4.7.0"), ("numpy", "2.4.6"))

    def evidence(self) -> dict[str, bytes]:
        bill = {"components": [{"name": "lightgbm", "version": "4.7.0"}, {"name": "numpy", "version": "2.4.6"}]}
        files = {
            "recipe.json": canonical(self.recipe or self.bundle.lineage["recipe"]),
            "sbom.cdx.json": canonical(bill),
        }
        digests = {name: sha256(data) for name, data in files.items()}
        return files | {MANIFEST: canonical({"bundle": self.bundle.digest, "files": digests})}

    def rebuilt(self, lake: Lake | None = None) -> Rebuilt:
        return rebuild(
            self.use_case,
            lake or lake_of(),
            replace(WORKSHOP, origin=self.now),
            self.bundle,
            evidence=self.evidence(),
            libraries=dict(self.libraries),
        )


def relabelled(bundle: Bundle, **recipe: Any) -> Bundle:
    """The same model, whose record says something else about how it was made."""
    lineage = bundle.lineage
    parts = {name: data for name, data in bundle.files.items() if name != MANIFEST}
    return Bundle.seal(bundle.model, parts, lineage={**lineage, "recipe": {**lineage["recipe"], **recipe}})


def said(found: Rebuilt, tmp_path: Any) -> str:
    return "\n".join(lines(found, "credit_default", 1, tmp_path))


def test_scores_are_the_same_within_a_thousandth_of_a_millionth_and_no_further() -> None:
    recorded, other = fake_bundle(0.1), fake_bundle(0.2)

    def like(largest: float) -> tuple[bool, Likeness]:
        found = Rebuilt(recorded, other, largest, (), (), ())
        return found.reproduced, found.likeness

    assert like(1e-9) == (True, Likeness.SCORES)
    assert like(1.01e-9) == (False, Likeness.OTHER)
    assert like(float("nan")) == (False, Likeness.OTHER)


def test_a_version_is_made_again_byte_for_byte(tmp_path: Any) -> None:
    found = Archive(made()).rebuilt()
    assert (found.reproduced, found.likeness, found.largest) == (True, Likeness.BUNDLE, 0.0)
    assert said(found, tmp_path).splitlines()[0] == ("credit_default version 1 is reproduced: the same bundle, byte for byte.")


def test_a_lake_taken_in_anew_serves_if_its_contents_are_those_recorded() -> None:
    lake = lake_of(lambda columns: {**columns, "bill_0": columns["bill_0"] + 1})
    original = lake_of()
    (june,) = original.history(SNAPSHOTS, MONTHS[-1])
    lake.write(SNAPSHOTS, MONTHS[-1], original.read([june]), recorded_at=LATER)

    found = Archive(made()).rebuilt(lake)

    assert (found.reproduced, found.likeness, found.data) == (True, Likeness.GRAPH, ())


def test_one_changed_row_is_named_by_its_partition_and_measured(tmp_path: Any) -> None:
    def moved(columns: Columns) -> Columns:
        status = np.array(columns["status_0"])
        status[::2] = 8
        return {**columns, "status_0": status}

    def one(columns: Columns) -> Columns:
        bill = np.array(columns["bill_0"])
        bill[7] += 1_000
        return {**columns, "bill_0": bill}

    for change, likely in ((moved, Likeness.OTHER), (one, None)):
        found = Archive(made()).rebuilt(lake_of(change))
        assert not found.reproduced
        assert [difference.what for difference in found.data] == ["snapshots 2005-06 version 1"]
        assert likely in (None, found.likeness)
    assert "snapshots 2005-06 version 1: digest" in said(found, tmp_path)


def test_equal_scores_from_other_data_are_not_a_reproduction() -> None:
    def untouched_by_the_recipe(columns: Columns) -> Columns:
        return {**columns, "payment_1": columns["payment_1"] + 1}

    found = Archive(made()).rebuilt(lake_of(untouched_by_the_recipe))
    assert found.likeness is Likeness.GRAPH
    assert not found.reproduced


def test_a_missing_partition_is_named_and_nothing_is_made_of_the_rest(tmp_path: Any) -> None:
    found = Archive(made()).rebuilt(lake_of(without=MONTHS[0]))
    assert (found.reproduced, found.likeness) == (False, Likeness.NONE)
    assert "snapshots 2005-05 version 1: digest" in said(found, tmp_path)
    assert "missing now" in said(found, tmp_path)


class Damaged(InMemoryLake):
    """Its files are there and hold something else than they say."""

    def read(self, partitions: Sequence[PartitionVersion], names: Sequence[str] | None = None) -> Columns:
        raise Integrity(f"{partitions[0].table} {partitions[0].month} does not match its digest")


def test_a_damaged_partition_is_a_difference_of_the_data(tmp_path: Any) -> None:
    lake = lake_of()
    assert isinstance(lake, InMemoryLake)
    damaged = Damaged()
    damaged.__dict__.update(lake.__dict__)
    found = Archive(made()).rebuilt(damaged)

    assert [one.sentence for one in found.data] == [
        "the partitions: were read as recorded, cannot be: snapshots 2005-05 does not match its digest now"
    ]
    assert (found.parts, found.reproduced) == ((), False)
    assert "the data differ:" in said(found, tmp_path)
    assert "what came out" not in said(found, tmp_path)


def test_a_parameter_that_was_not_the_one_fitted_is_named(tmp_path: Any) -> None:
    true = made().lineage["recipe"]
    lied = relabelled(made(), parameters={**TREES, "learning_rate": 0.2})
    found = Archive(lied, recipe=true).rebuilt()
    assert (found.reproduced, found.likeness) == (False, Likeness.OTHER)
    assert found.largest > 1e-3
    assert "recipe.parameters.learning_rate: 0.2 as recorded, 0.1 in the evidence now" in said(found, tmp_path)
    assert "digest of the graph" in said(found, tmp_path)


def test_a_seed_that_was_not_the_one_fitted_is_named(tmp_path: Any) -> None:
    found = Archive(relabelled(made(), seed=4), recipe=made().lineage["recipe"]).rebuilt()
    assert (found.reproduced, found.likeness) == (False, Likeness.OTHER)
    assert "recipe.seed: 4 as recorded, 3 in the evidence now" in said(found, tmp_path)


def test_a_policy_that_changed_since_is_named_though_the_graph_is_the_same(tmp_path: Any) -> None:
    stricter = replace(USE_CASE, policy=USE_CASE.policy.model_copy(update={"quantum": 1e-8}))
    found = Archive(made(), use_case=stricter).rebuilt()
    assert (found.reproduced, found.likeness) == (True, Likeness.GRAPH)
    assert "policy.quantum: 1e-09 as recorded, 1e-08 now" in said(found, tmp_path)


def test_a_bundle_of_an_earlier_release_of_the_platform_is_compared_by_the_files_that_it_has(tmp_path: Any) -> None:
    manifest = made().manifest
    files = {name: data for name, data in made().files.items() if name not in (MANIFEST, "inventory.json")}
    shorter = canonical({**manifest, "files": {name: sha256(data) for name, data in files.items()}})
    found = Archive(Bundle.verified({**files, MANIFEST: shorter})).rebuilt()
    assert (found.reproduced, found.likeness) == (True, Likeness.GRAPH)
    assert "inventory.json: no part of it as recorded, part of the bundle now" in said(found, tmp_path)


def test_a_recipe_that_the_code_cannot_follow_any_more_says_why(tmp_path: Any) -> None:
    found = Archive(relabelled(made(), features=["horoscope"])).rebuilt()
    assert found.likeness is Likeness.NONE
    assert "no longer has the features horoscope" in said(found, tmp_path)


def test_another_commit_lock_or_library_is_named_also_when_the_model_is_the_same(tmp_path: Any) -> None:
    now = Origin("b" * 40, "2" * 64)
    found = Archive(made(), now=now, libraries=(("lightgbm", "4.8.0"), ("pandas", "3.0"))).rebuilt()
    assert found.reproduced
    assert [difference.sentence for difference in found.circumstances] == [
        "git commit: aaaaaaaaaaaa as recorded, bbbbbbbbbbbb now",
        "SHA-256 of requirements.lock: 111111111111 as recorded, 222222222222 now",
        "library lightgbm: 4.7.0 as recorded, 4.8.0 now",
        "library numpy: 2.4.6 as recorded, not installed now",
        "library pandas: not installed as recorded, 3.0 now",
    ]


def test_what_is_not_reproduced_here_comes_with_the_commands_for_the_code_of_then(tmp_path: Any) -> None:
    now = Origin("b" * 40, THEN.lock_sha256)
    text = said(Archive(relabelled(made(), seed=4), now=now).rebuilt(), tmp_path)
    assert f"git worktree add --detach {tmp_path / 'rebuild' / ('a' * 12)} {'a' * 40}" in text
    assert "rebuild MODEL=credit_default VERSION=1" in text


def test_evidence_that_was_changed_is_said() -> None:
    archive = Archive(made())
    evidence = archive.evidence() | {"recipe.json": b"{}"}
    found = rebuild(USE_CASE, lake_of(), WORKSHOP, made(), evidence=evidence, libraries=dict(archive.libraries))
    assert found.reproduced
    assert "recipe.json" in json.dumps([difference.now for difference in found.circumstances])
