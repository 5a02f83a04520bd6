"""Without Spark or Java what is missing is said, before anything is read."""

import sys
from pathlib import Path

import pytest

from models.adapters.spark_session import Spark
from models.errors import Misconfigured


def test_without_spark_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)

    with pytest.raises(Misconfigured, match="not installed") as refused:
        Spark("local[1]", tmp_path)
    assert "make spark-setup" in refused.value.hint


def test_without_java_the_way_to_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", sys)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)

    with pytest.raises(Misconfigured, match="needs Java 17") as refused:
        Spark("local[1]", tmp_path)
    assert "openjdk-17-jre-headless" in refused.value.hint
