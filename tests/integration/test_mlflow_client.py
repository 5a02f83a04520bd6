"""MLflow's own client against a running service."""

import pandas as pd
import pytest
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

from tests.bundles import record, records
from tests.integration.test_refused_bodies import port

__all__ = ["port"]  # the running service

pytestmark = pytest.mark.integration


def test_a_frame_that_mlflow_sends_is_scored_row_by_row(port: int) -> None:
    client = ScoringServerClient("127.0.0.1", port)
    client.ping()
    frame = pd.DataFrame(records({"status_0": 0}, {"status_0": 5}))
    assert frame["status_0"].dtype == "int64"
    found = client.invoke(frame).get_predictions()
    assert found["probability"].tolist() == [0.1, 0.6]
    assert found["decision"].tolist() == ["review", "reduce"]


def test_what_is_refused_tells_mlflows_client_why(port: int) -> None:
    with pytest.raises(Exception, match=r"error code 422, response: .*status_0: 99 is refused"):
        ScoringServerClient("127.0.0.1", port).invoke(pd.DataFrame([record(status_0=99)]))
