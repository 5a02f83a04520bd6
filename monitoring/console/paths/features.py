"""Features: the list, one column, and rows behind a bar. Rows are of single accounts, so only for those who may look at them."""

from fastapi import FastAPI, Request, Response

from models.governance.access import Act
from monitoring.console.charts.values import Scheme
from monitoring.console.desk import Desk
from monitoring.console.pages import features
from monitoring.console.pages.today import known
from monitoring.console.paths.charts import drawn


def serve(app: FastAPI, desk: Desk) -> None:
    sources = desk.sources

    @app.get("/features")
    def models(request: Request) -> Response:
        return desk.page(request, "features_of.html", models=[name for name in known(sources) if sources.reports.keys(name)])

    @app.get("/models/{model}/features")
    def every(request: Request, model: str) -> Response:
        return desk.page(request, "features.html", page=features.features(sources, model))

    @app.get("/models/{model}/features/{column}")
    def one(request: Request, model: str, column: str, month: str = "") -> Response:
        return desk.page(request, "feature.html", page=features.feature_page(sources, model, column, month))

    @app.get("/models/{model}/features/{column}/charts/{name}.{kind}")
    def chart(model: str, column: str, name: str, kind: str, month: str = "", scheme: Scheme = Scheme.LIGHT) -> Response:
        return drawn(desk, features.feature_page(sources, model, column, month).charts, name, kind, scheme)

    @app.get("/models/{model}/features/{column}/rows")
    def rows(request: Request, model: str, column: str, month: str, place: int) -> Response:
        desk.person(request, Act.READ_DECISIONS)
        return desk.page(request, "rows.html", page=features.rows_behind(sources, model, column, month, place))
