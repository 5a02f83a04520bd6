"""Today, a model, its monthly reports, and the validated batches."""

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from monitoring.console.charts import months, reports
from monitoring.console.desk import Desk
from monitoring.console.pages import model as models
from monitoring.console.pages import reports as months_of
from monitoring.console.pages import today
from monitoring.report import ReportKey


def serve(app: FastAPI, desk: Desk) -> None:
    sources = desk.sources

    @app.get("/")
    def front(request: Request) -> Response:
        return desk.page(request, "today.html", cards=today.front(sources))

    @app.get("/models/{model}")
    def model(request: Request, model: str) -> Response:
        shown = models.model_page(sources, model)
        return desk.page(request, "model.html", page=shown, charts=months.of_model(shown.card.months))

    @app.get("/reports")
    def every_report(request: Request) -> Response:
        return desk.page(request, "reports.html", page=months_of.overview(sources))

    @app.get("/models/{model}/reports/{month}")
    @app.get("/models/{model}/reports/{month}/{stamp}")
    def report(request: Request, model: str, month: str, stamp: str = "") -> Response:
        shown = months_of.report_page(sources, model, month, stamp)
        outcomes, columns = reports.of_outcomes(shown.report), reports.of_columns(shown.report)
        return desk.page(request, "report.html", page=shown, charts=outcomes, columns=columns)

    @app.get("/models/{model}/reports/{month}/{stamp}/documents/{name}")
    def document(model: str, month: str, stamp: str, name: str) -> Response:
        return HTMLResponse(sources.reports.document(ReportKey(model, month, stamp), name))

    @app.get("/validations")
    def validations(request: Request) -> Response:
        return desk.page(request, "validations.html", found=months_of.recent_validations(sources))

    @app.get("/validations/{name:path}")
    def validation(name: str) -> Response:
        return HTMLResponse(sources.validations.page(name))
