"""The figures as Markdown, and what follows from them for a much larger bank: computed, not typed."""

from collections.abc import Iterator, Mapping
from math import ceil, log

from tests.benchmarks.scale.metering import Figures
from tests.benchmarks.scale.places import CORES

BEGIN, END = "<!-- measured -->", "<!-- end of measured -->"
NAMES = {
    "generate": "generate account-months",
    "taken_in": "take a month in: hide accounts, validate, commit to the lake",
    "features": "validate and compute features",
    "pandas_features": "the same with pandas",
    "spark_features": "the same with Spark, local",
    "cluster_features": "the same on a Spark cluster of two workers",
    "probabilities": "validate and run the graph",
    "mlflow_pyfunc": "the graph through `mlflow.pyfunc` and pandas, nothing validated",
    "scikit_pyfunc": "the same trees as a scikit-learn pipeline through `mlflow.pyfunc` and pandas, nothing validated",
    "spark_probabilities": "validate and run the graph with Spark, local",
    "cluster_probabilities": "validate and run the graph on a Spark cluster of two workers",
    "decisions": "decisions with reasons, staged",
    "spark_decisions": "the same with Spark, local",
    "cluster_decisions": "the same on a Spark cluster of two workers",
    "recorded": "the same, recorded in the decision log (SQLite) and handed out",
    "statistics": "the monthly report's statistics",
    "spark_statistics": "the same with Spark, local",
    "cluster_statistics": "the same on a Spark cluster of two workers",
}
OPENED = 20  # bundles
DAILY, MODELS, NODES, NODE_CORES, NODE_GIGABYTES = 10**10, 1_000, 100, 16, 64
BUSY, WINDOW_HOURS, DAYS = 0.5, 4, 30


def page(found: Mapping[str, Mapping[int, Figures]]) -> str:
    return "\n".join([*_table(found), "", *_against(found), "", *_crossing(found), "", *_plan(found)])


def _table(found: Mapping[str, Mapping[int, Figures]]) -> Iterator[str]:
    yield "| What | Rows | Seconds | CPU seconds | CPU seconds a million rows | Peak memory | Growth | Load |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    for name, title in NAMES.items():
        sizes = sorted(found.get(name, {}).items())
        for place, (rows, each) in enumerate(sizes):
            grown = f"{growth(sizes[place - 1], sizes[place]):.2f}" if place else ""
            yield (
                f"| {title if not place else ''} | {rows:,} | {each['seconds']:.1f} | {each['cpu']:.1f} |"
                f" {unit(rows, each):.1f} | {each['peak']:.2f} GB | {grown} | {each['load']:.1f} |"
            )


def growth(one: tuple[int, Figures], other: tuple[int, Figures]) -> float:
    """The exponent between two sizes, of processor time: other users of the machine change it least."""
    return log(other[1]["cpu"] / one[1]["cpu"]) / log(other[0] / one[0])


def unit(rows: int, figures: Figures) -> float:
    """CPU seconds for a million rows."""
    return figures["cpu"] * 1e6 / rows


def largest(found: Mapping[str, Mapping[int, Figures]], name: str) -> tuple[int, Figures]:
    return max(found[name].items())


def _against(found: Mapping[str, Mapping[int, Figures]]) -> Iterator[str]:
    """Factors at the largest size that both were measured at."""
    for ours, theirs in (
        ("probabilities", "mlflow_pyfunc"),
        ("probabilities", "scikit_pyfunc"),
        ("features", "pandas_features"),
    ):
        common = found.get(ours, {}).keys() & found.get(theirs, {}).keys()
        for rows in sorted(common):
            one, other = found[ours][rows], found[theirs][rows]
            yield (
                f"- {rows:,} rows, {NAMES[ours]}: {other['seconds'] / one['seconds']:.1f} times as fast by the clock, with"
                f" {one['cpu'] / other['cpu']:.2f} of the processor time, as {NAMES[theirs]}."
            )


def _crossing(found: Mapping[str, Mapping[int, Figures]]) -> Iterator[str]:
    """By the clock, at each size that all three engines were measured at."""
    yield "### Where Spark crosses DuckDB and Arrow"
    yield ""
    yield "| What | Rows | DuckDB and Arrow | Spark, local | Spark, two workers | Fastest Spark |"
    yield "|---|---:|---:|---:|---:|---|"
    for what in ("features", "probabilities", "decisions", "statistics"):
        engines = [found.get(f"{prefix}{what}", {}) for prefix in ("", "spark_", "cluster_")]
        common = sorted(set(engines[0]).intersection(*engines[1:]))
        for place, rows in enumerate(common):
            own, *sparks = (each[rows]["seconds"] for each in engines)
            times = " | ".join(f"{each:.1f} s" for each in (own, *sparks))
            yield f"| {NAMES[what] if not place else ''} | {rows:,} | {times} | {_crossed(own, min(sparks))} |"


def _crossed(own: float, spark: float) -> str:
    return f"ahead, {own / spark:.1f} times as fast" if spark < own else f"{spark / own:.1f} times as slow"


def _plan(found: Mapping[str, Mapping[int, Figures]]) -> Iterator[str]:
    needed = ("decisions", "recorded", "statistics", "opened", "probabilities")
    if missing := [name for name in needed if name not in found]:
        yield f"Not planned yet: {', '.join(missing)} was not measured."
        return
    rows, decided = largest(found, "decisions")
    logged_rows, logged = largest(found, "recorded")
    _, opened = largest(found, "opened")
    score = unit(rows, decided)
    log_cost = max(0.0, unit(logged_rows, logged) - unit(logged_rows, found["decisions"].get(logged_rows, decided)))
    counted_rows, counted = largest(found, "statistics")
    core_day = 86_400 * BUSY
    cores = DAILY / 1e6 * score / core_day
    log_cores = DAILY / 1e6 * log_cost / core_day
    window = DAILY / 1e6 * (score + log_cost) / (WINDOW_HOURS * 3_600 * BUSY)
    count_cores = DAILY * DAYS / 1e6 * unit(counted_rows, counted) / 86_400
    capacity = NODES * NODE_CORES * core_day / (score + log_cost) * 1e6
    memory = MODELS * opened["bytes"] / 2**30
    yield "### What more would need"
    yield ""
    yield (
        f"From {rows:,} rows: {score:.1f} CPU seconds a million decisions with reasons, and {log_cost:.1f} more to record them;"
        f" cores {BUSY:.0%} busy, nodes of {NODE_CORES} cores and {NODE_GIGABYTES} GB. Assumed: these costs stay (growth 1)."
    )
    yield ""
    yield "| Question | Answer |"
    yield "|---|---|"
    yield f"| {DAILY:.0e} decisions a day, spread over it: cores that decide | {_cores(cores)} |"
    yield f"| cores that seal and record them | {_cores(log_cores)} |"
    yield f"| the same in a window of {WINDOW_HOURS} hours, deciding and recording | {_cores(window)} |"
    yield f"| what {NODES} nodes can decide and record in a day | {capacity:.1e} decisions |"
    yield f"| decision log, a day | {_terabytes(logged)}, in SQLite's layout |"
    yield f"| the same staged in Parquet | {_terabytes(decided)}, with inputs |"
    yield f"| a month's statistics over {DAYS} such days, one pass | {count_cores:.1f} core days |"
    seconds, holding = MODELS * opened["cpu"] / OPENED, ceil(memory / NODE_GIGABYTES)
    yield f"| {MODELS:,} models ready in one process | {memory:.1f} GB, {seconds:.0f} CPU seconds to open |"
    yield f"| {MODELS:,} models, {DAILY // MODELS:,} decisions a day each | as above; {holding} node holds them all |"
    yield ""
    yield (
        "What these figures cannot say: a network between nodes; PostgreSQL under many writers (each has a lane of its own, so"
        " seals do not wait for each other; the database's disks do); stragglers; and people: reviews grow with the decisions."
    )


def _terabytes(figures: Figures) -> str:
    return f"{DAILY * figures['bytes'] / 2**40:.1f} TB ({figures['bytes']:.0f} bytes a decision)"


def _cores(count: float) -> str:
    return f"{count:,.0f} cores, {ceil(count / NODE_CORES):,} nodes ({CORES} cores were measured)"
