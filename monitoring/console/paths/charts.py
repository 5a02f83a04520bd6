"""Every chart at an address of its own, as SVG for pages, as PNG for slides, and as CSV: `.../charts/auc.svg?scheme=dark`."""

from collections.abc import Sequence

from fastapi import FastAPI, Response

from models.errors import NotFound
from monitoring.console.charts import months, reports
from monitoring.console.charts.values import Chart, Scheme
from monitoring.console.desk import Desk
from monitoring.console.pages import reports as months_of
from monitoring.console.pages.rollouts import rollout_page
from monitoring.console.pages.today import months_of_model


def serve(app: FastAPI, desk: Desk) -> None:
    @app.get("/models/{model}/charts/{name}.{kind}")
    def of_model(model: str, name: str, kind: str, scheme: Scheme = Scheme.LIGHT) -> Response:
        return drawn(desk, months.of_model(months_of_model(desk.sources, model)), name, kind, scheme)

    @app.get("/models/{model}/reports/{month}/{stamp}/charts/{name}.{kind}")
    def of_report(model: str, month: str, stamp: str, name: str, kind: str, scheme: Scheme = Scheme.LIGHT) -> Response:
        report = months_of.report_page(desk.sources, model, month, stamp).report
        return drawn(desk, [*reports.of_outcomes(report), *reports.of_columns(report)], name, kind, scheme)

    @app.get("/models/{model}/rollouts/{number}/charts/{name}.{kind}")
    def of_rollout(model: str, number: int, name: str, kind: str, scheme: Scheme = Scheme.LIGHT) -> Response:
        return drawn(desk, rollout_page(desk.sources, model, number).charts, name, kind, scheme)


def drawn(desk: Desk, charts: Sequence[Chart], name: str, kind: str, scheme: Scheme) -> Response:
    chart = next((each for each in charts if each.name == name and each.known), None)
    if chart is None or kind not in ("svg", "png", "csv"):
        known = ", ".join(each.name for each in charts if each.known) or "none"
        raise NotFound(f"there is no chart {name}.{kind} here", hint=f"charts: {known}; each as svg, png and csv")
    if kind == "csv":
        named = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return Response(chart.csv(), media_type="text/csv; charset=utf-8", headers=named)
    pictures = desk.sources.pictures
    data = pictures.svg(chart, scheme) if kind == "svg" else pictures.png(chart)
    return Response(data, media_type="image/svg+xml" if kind == "svg" else "image/png")
