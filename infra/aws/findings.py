"""What cdk-nag and checkov find and we leave as it is, each with the reason. Whatever is not here fails the check."""

from collections.abc import Iterator

from infra.aws.environments import Environment

_OBJECTS = "all objects of one bucket: rights by key would have to name keys that nobody knows before"
_BUCKETS = {"Artefacts": "FnGetAttArtefactsC012E42AArnBAB43CB7", "Lake": "FnGetAttLake5F1B88EAArn65E67816"}
"""How CloudFormation calls the addresses of these buckets between stacks."""
_IN_GENERAL = (
    (
        "data",
        "SMG4",
        "tasks read a password when they start: it is rotated by hand, with a new deployment (docs/aws.md)",
    ),
    (
        "data",
        "RDS11",
        "another port hides nothing: the security groups name who may connect, and nobody else reaches the network",
    ),
    (
        "data",
        "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole]",
        "AWS keeps this role's rights in step with what its monitoring needs; it can do nothing but write that log",
    ),
    ("services", "ECS2", "the settings are addresses and numbers; every password comes from Secrets Manager"),
    ("services", "IAM5[Resource::*]", "ecr:GetAuthorizationToken knows no resource"),
)


def accepted(environment: Environment) -> Iterator[tuple[str, str, str]]:
    """Stack, finding and reason."""
    yield from ((part, f"AwsSolutions-{rule}", reason) for part, rule, reason in _IN_GENERAL)
    for part, bucket in (("services", "Artefacts"), ("services", "Lake"), ("batch", "Lake")):
        address = f"steward-{environment.name}-data:ExportsOutput{_BUCKETS[bucket]}"
        yield part, f"AwsSolutions-IAM5[Resource::{address}/*]", _OBJECTS
    if not environment.standby:
        yield "data", "AwsSolutions-RDS3", "what is only tried out may wait for a restore: a standby doubles the price"
    if not environment.protected:
        yield "data", "AwsSolutions-RDS10", "this environment is made and removed again and holds nothing that must last"


def accepted_of_checkov(environment: Environment) -> dict[str, str]:
    """Checks, and the one resource that each may find."""
    own_logs = {"CKV_AWS_18": "Records"}  # the bucket of access logs would otherwise log its own logs
    return own_logs if environment.standby else own_logs | {"CKV_AWS_157": "Database"}  # as RDS3 above
