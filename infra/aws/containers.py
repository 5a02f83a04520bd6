"""What every task on Fargate has in common: nobody's root, nothing to write but its folders, its log, and its own password."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secrets

from infra.aws.data import Data
from infra.aws.environments import Environment, Size

USER = "10001:10001"


@dataclass(frozen=True)
class Container:
    name: str
    image: str
    size: Size
    command: Sequence[str]
    settings: Mapping[str, str]
    secrets: Mapping[str, tuple[secrets.ISecret, str]]
    """Names of variables; the secret and, in JSON, its field."""
    folders: Mapping[str, str]
    """Where folders of the shared file system are mounted: path in the container, name of the folder."""
    port: int = 0
    probe: str = ""
    """Path that answers with 200 while the process is well; empty: it is well while it takes connections."""
    stop_seconds: int = 30


class Tasks:
    """Makes task definitions that differ only in their `Container`."""

    def __init__(self, stack: Stack, environment: Environment, data: Data, key: kms.IKey, release: str) -> None:
        self._stack, self._environment, self._data, self._key, self._release = stack, environment, data, key, release
        self._points: dict[str, str] = {}
        self._named: dict[str, secrets.ISecret] = {}

    def define(self, container: Container) -> ecs.FargateTaskDefinition:
        task = ecs.FargateTaskDefinition(
            self._stack,
            f"{container.name.capitalize()}Task",
            cpu=container.size.cpu,
            memory_limit_mib=container.size.memory,
            family=f"steward-{self._environment.name}-{container.name}",
        )
        running = task.add_container(
            container.name,
            image=ecs.ContainerImage.from_ecr_repository(self._data.images[container.image], self._release),
            command=list(container.command),
            environment=dict(container.settings),
            secrets={name: self._secret(secret, field) for name, (secret, field) in container.secrets.items()},
            user=USER,
            readonly_root_filesystem=True,
            logging=ecs.LogDrivers.aws_logs(stream_prefix=container.name, log_group=self._log(container.name)),
            port_mappings=[ecs.PortMapping(container_port=container.port)] if container.port else None,
            health_check=_health(container) if container.port else None,
            stop_timeout=Duration.seconds(container.stop_seconds),
            linux_parameters=ecs.LinuxParameters(self._stack, f"{container.name.capitalize()}Linux", init_process_enabled=True),
        )
        for path, folder in container.folders.items():
            self._mount(task, running, path, folder)
        task.obtain_execution_role().add_to_principal_policy(
            iam.PolicyStatement(actions=["kms:Decrypt"], resources=[self._data.key.key_arn])
        )
        return task

    def _secret(self, secret: secrets.ISecret, field: str) -> ecs.Secret:
        """By its address: else CDK writes this stack's roles into the key's policy, and the stacks form a ring."""
        name = secret.node.path.replace("/", "") + "Named"
        if name not in self._named:
            self._named[name] = secrets.Secret.from_secret_complete_arn(self._stack, name, secret.secret_arn)
        return ecs.Secret.from_secrets_manager(self._named[name], field or None)

    def _mount(self, task: ecs.FargateTaskDefinition, running: ecs.ContainerDefinition, path: str, folder: str) -> None:
        name, home = folder.replace("/", "-"), self._data.home
        point = self._points.get(folder) or self._data.folder(folder).access_point_id
        self._points[folder] = point
        task.add_volume(
            name=name,
            efs_volume_configuration=ecs.EfsVolumeConfiguration(
                file_system_id=home.file_system_id,
                transit_encryption="ENABLED",
                authorization_config=ecs.AuthorizationConfig(access_point_id=point, iam="ENABLED"),
            ),
        )
        running.add_mount_points(ecs.MountPoint(container_path=path, source_volume=name, read_only=False))
        task.add_to_task_role_policy(
            iam.PolicyStatement(
                actions=["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
                resources=[home.file_system_arn],
                conditions={
                    "StringEquals": {
                        "elasticfilesystem:AccessPointArn": self._stack.format_arn(
                            service="elasticfilesystem", resource="access-point", resource_name=point
                        )
                    }
                },
            )
        )

    def _log(self, name: str) -> logs.LogGroup:
        return logs.LogGroup(
            self._stack,
            f"{name.capitalize()}Log",
            retention=RETENTION[self._environment.log_days],
            encryption_key=self._key,
            removal_policy=RemovalPolicy.DESTROY,
        )


RETENTION = {7: logs.RetentionDays.ONE_WEEK, 30: logs.RetentionDays.ONE_MONTH, 365: logs.RetentionDays.ONE_YEAR}


def _health(container: Container) -> ecs.HealthCheck:
    """As the images' own; Fargate does not look at those."""
    look = f"import socket; socket.create_connection(('127.0.0.1', {container.port}), 4)"
    if container.probe:
        look = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{container.port}{container.probe}', timeout=4)"
    return ecs.HealthCheck(
        command=["CMD", "python", "-c", look],
        interval=Duration.seconds(10),
        timeout=Duration.seconds(5),
        retries=3,
        start_period=Duration.seconds(120),
    )
