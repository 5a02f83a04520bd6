"""The stacks deployed to moto, in their order, with the values that one hands to the other.

Moto is not AWS: it makes what it knows from the templates and passes over everything else, and of what it knows it leaves much
out. What this proves is that the templates fit together where it looks, and that what it knows can be made; not that AWS takes
them, nor that anything runs. What it passes over is listed below, and compared, so that nobody reads more into it.
"""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.cloudformation.parsing import resource_class_from_type

from infra.aws.environments import REGION
from tests.aws.conftest import Synthesised

pytestmark = [pytest.mark.aws, pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")]
PASSED_OVER = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::Budgets::Budget",
    "AWS::CloudWatch::Alarm",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EMRServerless::Application",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::SecretsManager::Secret",
    "AWS::SecretsManager::SecretTargetAttachment",
    "AWS::ServiceDiscovery::PrivateDnsNamespace",
    "AWS::ServiceDiscovery::Service",
}
UNKNOWN = ("AWS::EMRServerless::Application",)
"""Moto ends the whole stack at these: they are left out, and a word stands for whatever is said of them."""
STUMBLES = {"AWS::KMS::Key": "Tags", "AWS::RDS::DBInstance": "DBParameterGroupName", "AWS::ECS::Service": "ServiceRegistries"}
"""Properties that it fails at."""
WITHOUT_EXPORTS = (
    "AWS::EFS::FileSystem",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
    "AWS::ElasticLoadBalancingV2::LoadBalancer",
)
"""It makes these, but cannot say their address to another stack; nor that of what it passes over."""


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "nobody")
    with mock_aws():
        yield


def for_moto(template: dict[str, Any]) -> dict[str, Any]:
    made = json.loads(json.dumps(template))
    kinds = {name: resource["Type"] for name, resource in made["Resources"].items()}
    made["Resources"] = {name: resource for name, resource in made["Resources"].items() if kinds[name] not in UNKNOWN}
    for resource in made["Resources"].values():
        resource.get("Properties", {}).pop(STUMBLES.get(resource["Type"]), None)
    for output in made.get("Outputs", {}).values():
        said = output["Value"].get("Fn::GetAtt", [output["Value"].get("Ref")])[0]
        if said in kinds and (kinds[said] in WITHOUT_EXPORTS or not resource_class_from_type(kinds[said])):
            output["Value"] = "arn:aws:moto:unknown"
    return made


def deploy(made: Synthesised) -> dict[str, str]:
    """The stacks, and what became of each."""
    cloud = boto3.client("cloudformation", REGION)
    certificate = boto3.client("acm", REGION).request_certificate(DomainName="steward.example.com")["CertificateArn"]
    given = {
        "services": {"Release": "0123abc", "CertificateArn": certificate, "ConsoleAddress": "https://steward.example.com:8443"},
        "watching": {"AlertMail": "on-call@example.com"},
    }
    for part in made.templates:
        cloud.create_stack(
            StackName=part,
            TemplateBody=json.dumps(for_moto(made.templates[part])),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given.get(part, {}).items()],
            Capabilities=["CAPABILITY_IAM"],
        )
    return {stack["StackName"]: stack["StackStatus"] for stack in cloud.describe_stacks()["Stacks"]}


def test_the_stacks_fit_together(environment: Synthesised) -> None:
    assert deploy(environment) == dict.fromkeys(environment.templates, "CREATE_COMPLETE")


def test_what_moto_knows_is_there_afterwards(prod: Synthesised) -> None:
    deploy(prod)
    database = boto3.client("rds", REGION).describe_db_instances()["DBInstances"][0]
    assert (database["MultiAZ"], database["StorageEncrypted"], database["PubliclyAccessible"]) == (True, True, False)
    assert len(boto3.client("s3", REGION).list_buckets()["Buckets"]) == 3
    cluster = boto3.client("ecs", REGION)
    serving = cluster.describe_task_definition(taskDefinition="steward-prod-serving")["taskDefinition"]["containerDefinitions"][0]
    assert serving["command"] == ["python", "-m", "serving"]
    assert serving["image"].endswith("/steward-prod/steward-serving:0123abc")
    assert len(boto3.client("ec2", REGION).describe_vpc_endpoints()["VpcEndpoints"]) == 5


def test_this_is_what_moto_passes_over(prod: Synthesised) -> None:
    kinds = {resource["Type"] for template in prod.templates.values() for resource in template["Resources"].values()}
    assert {kind for kind in kinds if not resource_class_from_type(kind)} == PASSED_OVER


def test_a_stack_without_those_before_it_is_refused(prod: Synthesised) -> None:
    cloud = boto3.client("cloudformation", REGION)
    with pytest.raises(cloud.exceptions.ClientError, match="No export named"):
        cloud.create_stack(StackName="batch", TemplateBody=json.dumps(for_moto(prod.templates["batch"])))
