"""The chart as Helm renders it, for each environment, against Kubernetes' own schemas and checkov."""

import json
import os
import subprocess
import tomllib
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.settings import MonitoringSettings
from tests.checkov import Finding, scanned
from tests.helm import environment, newer_python

pytestmark = [pytest.mark.infra, pytest.mark.timeout(300)]

CHART = Path(__file__).parents[2] / "infra" / "helm" / "steward"
KUBERNETES = "1.36"
"""The version whose schemas judge, strictly: an unknown field is an error."""
FINDINGS = tomllib.loads((CHART.parent / "findings.toml").read_text())
"""What checkov finds and we accept, with the reasons."""
ENVIRONMENTS = ("local", "staging", "production")
PODS = ("Deployment", "Job")


@pytest.fixture(scope="module")
def python() -> Path:
    if not newer_python() and not os.environ.get("CI"):
        pytest.skip("Helm's library needs some Python 3.12 or newer")
    return environment()


def rendered(python: Path, chart: Path, values: Path) -> dict[str, Any]:
    program = [str(python), str(Path(__file__).parent / "rendering.py"), str(chart), str(values), KUBERNETES]
    done = subprocess.run(program, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return {"environment": values.stem.removeprefix("values-"), **json.loads(done.stdout)}


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def made(request: pytest.FixtureRequest, python: Path) -> dict[str, Any]:
    return rendered(python, CHART, CHART / f"values-{request.param}.yaml")


def found_by_checkov(made: dict[str, Any], folder: Path) -> tuple[set[Finding], int]:
    file = folder / "rendered.yaml"
    file.write_text(yaml.safe_dump_all(made["objects"]))
    return scanned([file], "kubernetes")


def of(made: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    return [found for found in made["objects"] if found["kind"] in kinds]


def test_every_environment_has_its_values_and_every_values_file_an_environment() -> None:
    assert {path.name for path in CHART.glob("values-*.yaml")} == {f"values-{name}.yaml" for name in ENVIRONMENTS}


def test_kubernetes_schemas_find_nothing(made: dict[str, Any]) -> None:
    assert made["wrong"] == []
    assert {"Deployment", "Job", "NetworkPolicy", "PersistentVolumeClaim", "Service", "ServiceAccount"} <= {
        o["kind"] for o in made["objects"]
    }


def test_a_slip_in_a_template_is_found(python: Path, tmp_path: Path) -> None:
    for path in CHART.rglob("*.*"):
        to = tmp_path / path.relative_to(CHART)
        to.parent.mkdir(exist_ok=True)
        to.write_text(path.read_text().replace("readinessProbe:", "readynessProbe:"))
    found = rendered(python, tmp_path, tmp_path / "values-local.yaml")["wrong"]
    assert len(found) == 3
    assert "readynessProbe" in found[0]


def test_checkov_finds_what_is_accepted_and_nothing_else(made: dict[str, Any], tmp_path: Path) -> None:
    found, passed = found_by_checkov(made, tmp_path)
    assert passed > 300
    assert {check for check, _ in found} == {*FINDINGS["everywhere"], *FINDINGS.get(made["environment"], {})}


def test_checkov_would_find_a_privileged_container(made: dict[str, Any], tmp_path: Path) -> None:
    slipped = json.loads(json.dumps(made))
    (serving,) = [each for each in of(slipped, "Deployment") if each["metadata"]["name"] == "steward-serving"]
    serving["spec"]["template"]["spec"]["containers"][0]["securityContext"]["privileged"] = True
    assert ("CKV_K8S_16", "Deployment.bank.steward-serving") in found_by_checkov(slipped, tmp_path)[0]


def test_a_digest_takes_the_place_of_the_tag(python: Path, tmp_path: Path) -> None:
    digests = {image: f"sha256:{number:064x}" for number, image in enumerate(("serving", "console", "pipelines"))}
    values = yaml.safe_load((CHART / "values-production.yaml").read_text()) | {"image": {"digests": digests}}
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    made = rendered(python, CHART, tmp_path / "values.yaml")
    images = {found["spec"]["template"]["spec"]["containers"][0]["image"] for found in of(made, *PODS)}
    assert images == {f"steward/steward-{image}@{digest}" for image, digest in digests.items()}
    assert "CKV_K8S_43" not in {check for check, _ in found_by_checkov(made, tmp_path)[0]}


def test_the_migrations_reach_the_database_and_nobody_reaches_them(made: dict[str, Any]) -> None:
    (policy,) = [each for each in of(made, "NetworkPolicy") if each["metadata"]["name"] == "steward-migrations"]
    (job,) = of(made, "Job")
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= job["spec"]["template"]["metadata"]["labels"].items()
    assert "ingress" not in policy["spec"]
    assert "Ingress" in policy["spec"]["policyTypes"]
    assert {port["port"] for way in policy["spec"]["egress"] for port in way["ports"]} == {53, 5432}
    weights = [int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for each in (policy, job)]
    assert weights[0] < weights[1], "the policy is there before the job starts"


def test_the_console_knows_its_address_and_answers_those_who_ask_its_pod(made: dict[str, Any]) -> None:
    (found,) = [each for each in of(made, "Deployment") if each["metadata"]["name"] == "steward-console"]
    said = {each["name"]: each for each in found["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert said["STEWARD_MONITORING_ADDRESS"]["value"].startswith("http" if made["environment"] == "local" else "https://")
    assert said["POD_IP"]["valueFrom"] == {"fieldRef": {"fieldPath": "status.podIP"}}
    assert said["STEWARD_MONITORING_NAMES"]["value"] == '["$(POD_IP)"]'
    assert list(said).index("POD_IP") < list(said).index("STEWARD_MONITORING_NAMES"), "a name is known once it was given"


def test_the_console_is_told_which_proxies_may_say_who_asks(python: Path, tmp_path: Path) -> None:
    values = yaml.safe_load((CHART / "values-local.yaml").read_text())
    values.setdefault("console", {})["proxies"] = ["10.0.3.0/24"]
    (tmp_path / "values-local.yaml").write_text(yaml.safe_dump(values))
    made = rendered(python, CHART, tmp_path / "values-local.yaml")
    (found,) = [each for each in of(made, "Deployment") if each["metadata"]["name"] == "steward-console"]
    said = {each["name"]: each.get("value") for each in found["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert MonitoringSettings(proxies=json.loads(said["STEWARD_MONITORING_PROXIES"])).proxies == (IPv4Network("10.0.3.0/24"),)


def test_no_pod_is_root_can_write_its_files_or_has_a_key_to_the_cluster(made: dict[str, Any]) -> None:
    for found in of(made, *PODS):
        pod = found["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_every_pod_has_limits_and_every_service_its_probes(made: dict[str, Any]) -> None:
    for found in of(made, *PODS):
        for container in found["spec"]["template"]["spec"]["containers"]:
            assert container["resources"].keys() == {"requests", "limits"}
            if found["kind"] == "Deployment":
                assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()


def test_what_is_so_at_every_replica_takes_none_of_them_out_of_the_service(made: dict[str, Any]) -> None:
    serving = next(found for found in of(made, "Deployment") if found["metadata"]["name"].endswith("serving"))
    (container,) = serving["spec"]["template"]["spec"]["containers"]
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/answering"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"


def test_every_deployment_has_a_policy_for_its_traffic_and_an_account_of_its_own(made: dict[str, Any]) -> None:
    accounts = {found["metadata"]["name"] for found in of(made, "ServiceAccount")}
    selected = [found["spec"]["podSelector"]["matchLabels"] for found in of(made, "NetworkPolicy")]
    for found in of(made, "Deployment"):
        assert found["spec"]["selector"]["matchLabels"] in selected
        assert found["spec"]["template"]["spec"]["serviceAccountName"] in accounts


def test_passwords_come_from_a_secret_that_the_chart_does_not_make(made: dict[str, Any]) -> None:
    assert of(made, "Secret") == []
    for found in of(made, *PODS):
        (url,) = [e for e in found["spec"]["template"]["spec"]["containers"][0]["env"] if e["name"] == "STEWARD_DATABASE_URL"]
        assert url["valueFrom"]["secretKeyRef"]["name"] == "steward-database"


def test_the_schema_is_migrated_before_anything_is_installed_or_upgraded(made: dict[str, Any]) -> None:
    (job,) = of(made, "Job")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert job["spec"]["template"]["spec"]["containers"][0]["command"][-1] == "monitoring.migrate"


def test_production_keeps_and_grows_its_replicas_under_disruption_and_load(python: Path) -> None:
    made = rendered(python, CHART, CHART / "values-production.yaml")
    (budget,) = of(made, "PodDisruptionBudget")
    (scaler,) = of(made, "HorizontalPodAutoscaler")
    (serving,) = [found for found in of(made, "Deployment") if found["metadata"]["name"].endswith("serving")]
    assert budget["spec"]["selector"] == serving["spec"]["selector"]
    assert scaler["spec"]["minReplicas"] >= 2
    assert scaler["spec"]["metrics"][0]["pods"]["metric"]["name"] == "steward_in_flight"
    assert "replicas" not in serving["spec"], "the autoscaler's number would be set back by every upgrade"
    assert serving["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_the_settings_of_the_chart_are_settings_of_the_platform(made: dict[str, Any]) -> None:
    from monitoring.settings import MonitoringSettings
    from pipelines.settings import PipelineSettings
    from serving.settings import ServingSettings

    known = ServingSettings.variables() | MonitoringSettings.variables() | PipelineSettings.variables()
    for found in of(made, *PODS):
        names = {e["name"] for c in found["spec"]["template"]["spec"]["containers"] for e in c["env"]}
        assert {name for name in names if name.startswith("STEWARD_")} <= known


def test_the_chart_has_the_version_of_the_platform() -> None:
    version = tomllib.loads((CHART.parents[2] / "pyproject.toml").read_text())["project"]["version"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == version


LAKE = ("worker", "console")
"""Who reads or writes it; serving does not know it."""


def pod_of(made: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [each for each in of(made, "Deployment") if each["metadata"]["name"] == f"steward-{name}"]
    return found["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def told(made: dict[str, Any], name: str) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in pod_of(made, name)["containers"][0]["env"]}


def allowed(made: dict[str, Any], name: str) -> set[int]:
    (policy,) = [each for each in of(made, "NetworkPolicy") if each["metadata"]["name"] == f"steward-{name}"]
    return {port["port"] for way in policy["spec"]["egress"] for port in way["ports"]}


def roles(made: dict[str, Any]) -> dict[str, str]:
    accounts = {each["metadata"]["name"]: each["metadata"].get("annotations", {}) for each in of(made, "ServiceAccount")}
    return {name: found["eks.amazonaws.com/role-arn"] for name, found in accounts.items() if found}


def with_lake(python: Path, folder: Path, **lake: object) -> dict[str, Any]:
    values = yaml.safe_load((CHART / "values-local.yaml").read_text()) | {"lake": lake}
    (folder / "values-local.yaml").write_text(yaml.safe_dump(values))
    return rendered(python, CHART, folder / "values-local.yaml")


def test_without_an_address_the_lake_stays_in_the_home_and_nobody_reaches_a_store(python: Path) -> None:
    made = rendered(python, CHART, CHART / "values-local.yaml")
    for name in (*LAKE, "serving"):
        assert not {key for key in told(made, name) if key == "STEWARD_LAKE" or key.startswith("AWS_")}
        assert {volume["name"] for volume in pod_of(made, name)["volumes"]} == {"tmp", "home"}
        assert 443 not in allowed(made, name)
    assert roles(made) == {}


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_worker_and_console_reach_the_bucket_by_roles_of_their_own_and_serving_does_not(python: Path, environment: str) -> None:
    made = rendered(python, CHART, CHART / f"values-{environment}.yaml")
    for name in LAKE:
        assert told(made, name)["STEWARD_LAKE"] == f"s3://steward-{environment}-lake/lake"
        assert told(made, name)["AWS_REGION"]
        assert 443 in allowed(made, name)
    assert len(set(roles(made).values())) == len(LAKE)
    assert roles(made).keys() == {f"steward-{name}" for name in LAKE}
    assert "STEWARD_LAKE" not in told(made, "serving")
    assert 443 not in allowed(made, "serving")


def test_credentials_of_a_store_are_a_file_of_a_secret_that_the_chart_does_not_make(python: Path, tmp_path: Path) -> None:
    named = "steward-store"
    store = {"endpoint": "https://store.bank.example:9000", "ports": [9000], "secret": named}
    made = with_lake(python, tmp_path, address="s3://bank/lake", **store)
    assert made["wrong"] == []
    for name in LAKE:
        (volume,) = [each for each in pod_of(made, name)["volumes"] if each["name"] == "store"]
        assert volume["secret"]["secretName"] == named
        (mount,) = [each for each in pod_of(made, name)["containers"][0]["volumeMounts"] if each["name"] == "store"]
        assert mount["readOnly"] is True
        assert told(made, name)["AWS_SHARED_CREDENTIALS_FILE"] == f"{mount['mountPath']}/credentials"
        assert told(made, name)["AWS_ENDPOINT_URL"] == store["endpoint"]
        assert 9000 in allowed(made, name)
    assert {each["name"] for each in pod_of(made, "serving")["volumes"]} == {"tmp", "home"}
    assert of(made, "Secret") == []


def test_a_lake_in_another_folder_of_the_home_needs_no_store(python: Path, tmp_path: Path) -> None:
    made = with_lake(python, tmp_path, address="/var/lib/steward/elsewhere")
    assert told(made, "worker")["STEWARD_LAKE"] == "/var/lib/steward/elsewhere"
    assert 443 not in allowed(made, "worker")
    assert "AWS_REGION" not in told(made, "worker")
