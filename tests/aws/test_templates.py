"""What the templates promise: who reaches whom, what is encrypted, what outlasts what, and that containers run as elsewhere."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_cdk.assertions import Match, Template

from infra.aws import costs
from infra.aws.__main__ import main
from infra.aws.network import CALLS
from tests.aws.conftest import Synthesised

pytestmark = pytest.mark.aws
COMPOSE = yaml.safe_load((Path(__file__).parents[2] / "infra" / "compose" / "compose.yaml").read_text())["services"]
SAME = {"serving": "serving-1", "console": "console", "worker": "schedules", "mlflow": "mlflow", "prefect": "prefect"}


def of(made: Synthesised, part: str) -> Template:
    return Template.from_json(made.templates[part])


def resources(made: Synthesised, part: str, kind: str) -> dict[str, dict[str, Any]]:
    found = {name: r for name, r in made.templates[part]["Resources"].items() if r["Type"] == kind}
    assert found, f"no {kind} in {part}"
    return found


def containers(made: Synthesised) -> dict[str, dict[str, Any]]:
    tasks = resources(made, "services", "AWS::ECS::TaskDefinition").values()
    return {c["Name"]: c for task in tasks for c in task["Properties"]["ContainerDefinitions"]}


def settings(container: dict[str, Any]) -> dict[str, Any]:
    return {pair["Name"]: pair["Value"] for pair in container["Environment"]}


def test_production_has_a_standby_keeps_backups_for_five_weeks_and_cannot_be_deleted_by_a_slip(prod: Synthesised) -> None:
    of(prod, "data").has_resource(
        "AWS::RDS::DBInstance",
        {
            "Properties": Match.object_like(
                {"MultiAZ": True, "DeletionProtection": True, "BackupRetentionPeriod": 35, "StorageEncrypted": True}
            ),
            "DeletionPolicy": "Snapshot",
        },
    )
    for kind in ("AWS::S3::Bucket", "AWS::EFS::FileSystem", "AWS::KMS::Key", "AWS::ECR::Repository"):
        assert {r["DeletionPolicy"] for r in resources(prod, "data", kind).values()} == {"Retain"}


def test_development_has_no_standby_and_leaves_nothing_behind(dev: Synthesised) -> None:
    of(dev, "data").has_resource(
        "AWS::RDS::DBInstance", {"Properties": Match.object_like({"MultiAZ": False}), "DeletionPolicy": "Delete"}
    )


def test_the_database_takes_no_connection_without_tls_and_no_one_from_outside(environment: Synthesised) -> None:
    data = of(environment, "data")
    data.has_resource_properties("AWS::RDS::DBParameterGroup", {"Parameters": Match.object_like({"rds.force_ssl": "1"})})
    data.has_resource_properties("AWS::RDS::DBInstance", {"PubliclyAccessible": False})


def test_every_bucket_has_versions_and_is_encrypted_and_closed(environment: Synthesised) -> None:
    for name, bucket in resources(environment, "data", "AWS::S3::Bucket").items():
        said = bucket["Properties"]
        assert said["VersioningConfiguration"] == {"Status": "Enabled"}, name
        assert all(said["PublicAccessBlockConfiguration"].values()), name
        how = said["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]["SSEAlgorithm"]
        assert how == ("AES256" if name.startswith("Records") else "aws:kms"), name  # a balancer cannot write its log otherwise


def test_nothing_leads_to_the_internet(environment: Synthesised) -> None:
    network = of(environment, "network")
    for kind in ("AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::EIP"):
        network.resource_count_is(kind, 0)
    of(environment, "services").has_resource_properties("AWS::ElasticLoadBalancingV2::LoadBalancer", {"Scheme": "internal"})


def test_only_who_stands_in_the_table_may_call_whom(environment: Synthesised) -> None:
    rules = resources(environment, "network", "AWS::EC2::SecurityGroupIngress").values()
    let_in = {(r["Properties"]["Description"], r["Properties"]["FromPort"]) for r in rules}
    assert let_in == {(f"{caller} to {called}", port) for caller, called, port in CALLS}
    groups = resources(environment, "network", "AWS::EC2::SecurityGroup").values()
    open_to = [rule["CidrIp"] for g in groups for rule in g["Properties"].get("SecurityGroupIngress", [])]
    assert set(open_to) == {"10.0.0.0/8"}


def test_the_load_balancer_speaks_tls_1_3_and_asks_whether_a_replica_can_give_the_services_own_answer(
    environment: Synthesised,
) -> None:
    services = of(environment, "services")
    services.resource_count_is("AWS::ElasticLoadBalancingV2::Listener", 2)
    services.all_resources_properties(
        "AWS::ElasticLoadBalancingV2::Listener", {"Protocol": "HTTPS", "SslPolicy": Match.string_like_regexp("TLS13")}
    )
    services.has_resource_properties(
        "AWS::ElasticLoadBalancingV2::TargetGroup", {"HealthCheckPath": "/health/answering", "Port": 8080}
    )


@pytest.mark.parametrize("name", SAME)
def test_a_container_runs_the_command_and_has_the_settings_of_the_compose_file(name: str, environment: Synthesised) -> None:
    here, there = containers(environment)[name], COMPOSE[SAME[name]]
    words = [word if isinstance(word, str) else "elsewhere" for word in here["Command"]]
    assert [w for w in words if not differs(w)] == [w for w in there["command"] if not differs(w)]
    of_files = {
        "PGPASSFILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "MLFLOW_S3_ENDPOINT_URL",
        "AWS_ENDPOINT_URL",
        "HOME",
    }
    ours = {
        "STEWARD_PROFILE",
        "STEWARD_MONITORING_ADDRESS",
        "STEWARD_MONITORING_NAMES",
        "PGSSLMODE",
        "AWS_DEFAULT_REGION",
        "MPLCONFIGDIR",
    }
    assert set(settings(here)) - ours == set(there["environment"]) - of_files - ours
    alike = ("STEWARD_HOME", "STEWARD_SERVING_HOST", "DO_NOT_TRACK", "PREFECT_HOME")
    assert {k: settings(here)[k] for k in alike if k in settings(here)} == {
        k: there["environment"][k] for k in alike if k in there["environment"]
    }


def differs(word: str) -> bool:
    """Ports, hosts and buckets, which are this place's own."""
    return word.isdigit() or ":" in word or word == "elsewhere"


def test_every_container_is_nobodys_root_writes_only_its_folders_and_has_its_password_from_a_secret(
    environment: Synthesised,
) -> None:
    for name, container in containers(environment).items():
        assert container["User"] == "10001:10001", name
        assert container["ReadonlyRootFilesystem"] is True, name
        assert [secret["Name"] for secret in container["Secrets"]][:1] == ["PGPASSWORD"], name
        assert not [key for key in settings(container) if "PASS" in key], name


def test_whatever_uses_the_home_shares_it_and_is_in_production(prod: Synthesised) -> None:
    at_home = {
        name: settings(c)["STEWARD_PROFILE"]
        for name, c in containers(prod).items()
        if any(mount["ContainerPath"] == "/var/lib/steward" for mount in c["MountPoints"])
    }
    assert at_home == dict.fromkeys(("serving", "console", "worker"), "production")


def test_the_console_knows_its_address_and_is_not_asked_under_another(environment: Synthesised) -> None:
    console = containers(environment)["console"]
    assert settings(console)["STEWARD_MONITORING_ADDRESS"] == {"Ref": "ConsoleAddress"}
    assert "create_connection(('127.0.0.1', 8090)" in console["HealthCheck"]["Command"][-1]
    of(environment, "services").has_resource_properties(
        "AWS::ElasticLoadBalancingV2::TargetGroup", {"Port": 8090, "Matcher": {"HttpCode": "200-400"}}
    )


def test_serving_rolls_without_a_gap_and_there_are_never_two_workers(prod: Synthesised) -> None:
    rolled = {
        s["Properties"]["DeploymentConfiguration"]["MinimumHealthyPercent"]: s["Properties"]["DesiredCount"]
        for name, s in resources(prod, "services", "AWS::ECS::Service").items()
        if name.startswith("Serving")
    }
    assert rolled == {100: 3}
    worker = next(s for n, s in resources(prod, "services", "AWS::ECS::Service").items() if n.startswith("Worker"))
    assert worker["Properties"]["DeploymentConfiguration"]["MaximumPercent"] == 100
    of(prod, "services").has_resource_properties(
        "AWS::ApplicationAutoScaling::ScalableTarget", {"MinCapacity": 3, "MaxCapacity": 12}
    )


def test_spark_stops_by_itself_has_a_limit_and_may_touch_only_the_lake(prod: Synthesised) -> None:
    batch = of(prod, "batch")
    batch.has_resource_properties(
        "AWS::EMRServerless::Application",
        {
            "AutoStopConfiguration": {"Enabled": True, "IdleTimeoutMinutes": 5},
            "MaximumCapacity": Match.object_like({"Cpu": "400 vCPU"}),
        },
    )
    statements = next(iter(resources(prod, "batch", "AWS::IAM::Policy").values()))["Properties"]["PolicyDocument"]["Statement"]
    assert all("Lake" in str(s["Resource"]) or "kms:Decrypt" in s["Action"] for s in statements)


def test_the_lake_is_the_workers_to_write_the_consoles_to_read_and_nobody_elses(prod: Synthesised) -> None:
    told = {name: str(settings(container).get("STEWARD_LAKE", "")) for name, container in containers(prod).items()}
    assert {name for name, address in told.items() if address} == {"worker", "console"}
    assert all("s3://" in told[name] and "Lake" in told[name] and "/lake" in told[name] for name in ("worker", "console"))
    policies = resources(prod, "services", "AWS::IAM::Policy")
    granted = {
        name: {action for statement in said["Properties"]["PolicyDocument"]["Statement"] for action in at_the_lake(statement)}
        for name, said in policies.items()
    }
    writes = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
    listing = {"s3:ListBucket", "s3:GetBucketLocation"}
    may = {name.split("Task")[0]: actions - listing for name, actions in granted.items() if actions}
    assert may == {"Worker": writes, "Console": {"s3:GetObject"}}


def at_the_lake(statement: dict[str, Any]) -> list[str]:
    """What it allows there."""
    actions = statement["Action"]
    return ([actions] if isinstance(actions, str) else actions) if "Lake" in str(statement["Resource"]) else []


def test_somebody_is_told_when_no_replica_is_ready_and_before_the_budget_is_spent(environment: Synthesised) -> None:
    watching = of(environment, "watching")
    watching.resource_count_is("AWS::CloudWatch::Alarm", 6)
    watching.has_resource_properties(
        "AWS::CloudWatch::Alarm", {"MetricName": "HealthyHostCount", "TreatMissingData": "breaching", "Threshold": 1}
    )
    watching.has_resource_properties(
        "AWS::Budgets::Budget",
        {
            "NotificationsWithSubscribers": Match.array_with(
                [Match.object_like({"Notification": Match.object_like({"Threshold": 80})})]
            )
        },
    )


def test_the_command_writes_every_stack_of_every_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main() == 0
    assert len(list(tmp_path.glob("var/cdk/*/*.template.json"))) == 15


def test_the_costs_are_counted_as_the_templates_have_them(prod: Synthesised) -> None:
    def counted(kind: str) -> int:
        return sum(r["Type"] == kind for template in prod.templates.values() for r in template["Resources"].values())

    interfaces = [r for r in resources(prod, "network", "AWS::EC2::VPCEndpoint").values() if "SubnetIds" in r["Properties"]]
    assert (
        len(interfaces),
        counted("AWS::SecretsManager::Secret"),
        counted("AWS::KMS::Key"),
        counted("AWS::CloudWatch::Alarm"),
    ) == (
        costs.ENDPOINTS,
        costs.SECRETS,
        costs.KEYS,
        costs.ALARMS,
    )
