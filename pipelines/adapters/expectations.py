"""Great Expectations: a suite derived from the contract, its real validation, and Data Docs as a local static site.

The tool is imported on first use, because that alone takes seconds, and it is told to send nothing anywhere. Its results
are kept as files, so that the site shows every batch ever checked; results of audit columns are never kept.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from models.clock import Clock
from models.contract import Column, Role
from pipelines.batches import EXAMPLES, Batch, Finding, Measure, Ruling


@dataclass(frozen=True)
class Words:
    """What an engine of the tool calls the contract's types, and the end of a text in a pattern."""

    types: Mapping[str, str]
    end: str


_PANDAS = Words({"integer": "int64", "number": "float64", "text": "str"}, r"\Z")
_SITE = "data_docs"
_BRIEFLY = {"result_format": "BASIC", "partial_unexpected_count": EXAMPLES}
_LAZY = ("mode.copy_on_write", True)
"""The tool leaves missing values out for each rule, which copies all columns, each time, unless pandas copies on writing only."""


class GreatExpectations:
    """Everything is written below `folder`; the site is `folder/data_docs`."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._definitions: dict[tuple[str, str], Any] = {}

    def check(self, batch: Batch, measures: Sequence[Measure]) -> list[Finding]:
        name = f"{batch.use_case}.{batch.table}"
        found = self._kept(name, batch, self._by_contract(name, batch))
        if measures:
            name, figures = f"{name}.against_history", {_title(measure): [measure.value] for measure in measures}
            self._kept(name, batch, self._validated(name, batch, figures, list(_bounds(measures))))
        return [_finding(result, batch) for result in found.results if not result.success]

    def prepare(self) -> None:
        """Import the tool and open its context, which the first check would do otherwise."""
        _ = self._context

    def publish(self) -> str:
        if not self._results.exists():
            return ""
        results, pages = self._context.validation_results_store, self._folder / _SITE / "validations"
        new = [key for key in results.list_keys() if not pages.joinpath(*key.to_tuple()).with_suffix(".html").exists()]
        if new:
            self._context.build_data_docs(resource_identifiers=new)
        return str(self._folder / _SITE / "index.html")

    @property
    def _results(self) -> Path:
        return self._folder / "results"

    @cached_property
    def _context(self) -> Any:
        import great_expectations as gx
        from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults, ProgressBarsConfig

        self._repair()
        defaults = InMemoryStoreBackendDefaults()
        results = {"class_name": "ValidationResultsStore", "store_backend": _files(self._results)}
        config = DataContextConfig(
            store_backend_defaults=defaults,
            stores=defaults.stores | {defaults.validation_results_store_name: results},
            data_docs_sites={_SITE: _site(self._folder / _SITE)},
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        )
        return gx.get_context(project_config=config, mode="ephemeral")

    def _repair(self) -> None:
        """Drop a result that a killed run left half written: it would break every later site."""
        for path in self._results.rglob("*.json"):
            try:
                json.loads(path.read_bytes())
            except ValueError:
                path.unlink()

    def _by_contract(self, name: str, batch: Batch) -> Any:
        return self._validated(name, batch, batch.columns, list(rules(batch, _PANDAS)))

    def _validated(self, name: str, batch: Batch, columns: Mapping[str, Any], rules: list[Any]) -> Any:
        import pandas as pd

        with pd.option_context(*_LAZY):
            frame = pd.DataFrame({column: _held(values) for column, values in columns.items()}, copy=False)
            return self._asked(self._source, name, frame, rules, _naming_rows(batch, frame))

    def _asked(self, source: Any, name: str, frame: Any, rules: list[Any], naming: dict[str, Any] | None) -> Any:
        """What the tool says of all rules, with the rows that break them if it can be said how to name them.

        Without a stored ValidationDefinition, which costs as much again, and without `Batch.validate`, which fingerprints the
        rows once more each time.
        """
        import great_expectations as gx
        from great_expectations.validator.v1_validator import Validator

        suite = gx.ExpectationSuite(name, expectations=rules)
        validator = Validator(self._whole(source, name), dict(_BRIEFLY), {"dataframe": frame})
        found = validator.validate_expectation_suite(suite)
        if naming and not found.success:  # once more: asking for rows always would cost a fourth of the time
            validator.result_format = naming
            found = validator.validate_expectation_suite(suite)
        known = source.get_execution_engine().batch_manager  # it would keep the rows until the next of this name
        known.reset_batch_cache()
        known.batch_data_cache.clear()
        return found

    def _whole(self, source: Any, name: str) -> Any:
        """Made once a name: each new source, asset or definition writes the whole context's configuration anew."""
        key = source.name, name
        if key not in self._definitions:
            asset = source.add_dataframe_asset(name)
            self._definitions[key] = asset.add_batch_definition_whole_dataframe(name)
        return self._definitions[key]

    @cached_property
    def _source(self) -> Any:
        return self._context.data_sources.add_or_update_pandas("lake")

    def _kept(self, name: str, batch: Batch, found: Any) -> Any:
        """What was found, on record unless it is of audit columns."""
        if batch.contract.named(Role.AUDIT):
            return found
        from great_expectations.core.run_identifier import RunIdentifier
        from great_expectations.data_context.types.resource_identifiers import (
            ExpectationSuiteIdentifier,
            ValidationResultIdentifier,
        )

        run = RunIdentifier(run_name=str(batch.month), run_time=self._clock.now())
        found.meta |= {"run_id": run, "validation_time": run.run_time}
        key = ValidationResultIdentifier(ExpectationSuiteIdentifier(name), run, f"{batch.table}-{batch.month}")
        self._context.validation_results_store.set(key, found)
        return found


def _held(values: Any) -> Any:
    """A column as pandas holds it. A text that stands in every row, as the month does, is one object and not one a row."""
    values = np.asarray(values)
    if values.dtype.kind == "U" and len(values) and (values == values[0]).all():
        return np.full(len(values), values[0].item(), dtype=object)
    return values


def _naming_rows(batch: Batch, frame: Any) -> dict[str, Any]:
    key = batch.contract.key
    return {
        "result_format": "SUMMARY",
        "partial_unexpected_count": EXAMPLES,
        "unexpected_index_column_names": [key] if key in frame else [],
    }


def _files(folder: Path) -> dict[str, str]:
    return {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())}


def _site(folder: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": _files(folder),
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }


def rules(batch: Batch, words: Words) -> Iterator[Any]:
    """The contract as expectations; `meta` carries the platform's own words for a finding."""
    from great_expectations import expectations as gxe

    for column in batch.contract.columns:
        name = column.name
        type_ = words.types[column.kind]
        yield gxe.ExpectColumnValuesToNotBeNull(column=name, meta=_meta("no nulls", "no nulls"))
        yield gxe.ExpectColumnValuesToBeOfType(column=name, type_=type_, meta=_meta("type", column.kind))
        yield _values(column, batch, words)
        if column.role is Role.KEY:
            yield gxe.ExpectColumnValuesToBeUnique(column=name, meta=_meta("unique key", "each key once"))


def _values(column: Column, batch: Batch, words: Words) -> Any:
    from great_expectations import expectations as gxe

    name = column.name
    if column.role is Role.TIME:
        month = str(batch.month)
        return gxe.ExpectColumnValuesToBeInSet(column=name, value_set=[month], meta=_meta("month", f"{month} only"))
    if column.codes:
        codes = list(column.codes)
        return gxe.ExpectColumnValuesToBeInSet(column=name, value_set=codes, meta=_meta("allowed codes", column.rule()))
    if column.pattern:
        # The tool's $ would allow a line end behind it.
        regex = column.pattern.removesuffix("$") + (words.end if column.pattern.endswith("$") else "")
        return gxe.ExpectColumnValuesToMatchRegex(column=name, regex=regex, meta=_meta("pattern", column.rule()))
    low, high = column.minimum, column.maximum
    return gxe.ExpectColumnValuesToBeBetween(column=name, min_value=low, max_value=high, meta=_meta("range", column.rule()))


def _bounds(measures: Sequence[Measure]) -> Iterator[Any]:
    from great_expectations import expectations as gxe

    for measure in measures:
        meta = _meta(measure.rule, "") | {"evidence": measure.evidence, "ruling": measure.ruling.value}
        yield gxe.ExpectColumnValuesToBeBetween(
            column=_title(measure), min_value=measure.low, max_value=measure.high, meta=meta, notes=measure.evidence
        )


def _title(measure: Measure) -> str:
    return f"{measure.rule}: {measure.column}" if measure.column else measure.rule


def _meta(rule: str, limit: str) -> dict[str, str]:
    return {"rule": rule, "limit": limit}


def _finding(result: Any, batch: Batch) -> Finding:
    """A rule that could not be evaluated is a broken one: nothing passes by default."""
    config, found = result.expectation_config, result.result or {}
    column = config.kwargs["column"]
    count = found.get("unexpected_count")
    observed = f"{count:,} of {batch.rows:,} rows" if count else f"values of type {batch.columns[column].dtype}"
    key = batch.contract.key
    rows = (found.get("partial_unexpected_index_list") or [])[:EXAMPLES]
    examples = tuple(f"{row.get(key)}: {column} = {row.get(column)}" for row in rows)
    return Finding(config.meta["rule"], column, observed, config.meta["limit"], Ruling.QUARANTINE, examples)
