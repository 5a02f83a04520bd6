"""What runs all the time, on Fargate: serving and console behind a load balancer, the worker, MLflow's and Prefect's servers."""

from aws_cdk import CfnOutput, CfnParameter, Duration, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_servicediscovery as discovery
from constructs import Construct

from infra.aws import setup
from infra.aws.containers import Container, Tasks
from infra.aws.data import Data
from infra.aws.environments import REGION, Environment, Size
from infra.aws.network import Network
from infra.aws.place import CONSOLE_TLS, DOMAIN, SERVING_TLS, Aws, command, described, environment
from infra.topology.description import Service

READY = {"serving": "/health/answering", "console": "/"}
"""What the load balancer looks at, and for want of which ECS replaces a task: a model that is stopped is no fault of a task."""
WELL = {"serving": "200", "console": "200-400"}
"""What it takes for well: it asks by number, and the console refuses whoever asks by another name than its own (400)."""


class Services(Stack):
    def __init__(self, scope: Construct, name: str, size: Environment, network: Network, data: Data, **given: object) -> None:
        super().__init__(scope, name, **given)
        self._size, self._network, self._data = size, network, data
        release = CfnParameter(self, "Release", description="tag of the images: the git commit they were built from")
        self._certificate = CfnParameter(
            self, "CertificateArn", description="certificate of the load balancer", allowed_pattern="arn:aws[a-z-]*:acm:.+"
        )
        self._console = CfnParameter(
            self, "ConsoleAddress", description="how people reach the console: https://HOST:8443", allowed_pattern="https://.+"
        )
        self.tasks = Tasks(self, size, data, network.key, release.value_as_string)
        self.cluster = ecs.Cluster(self, "Cluster", vpc=network.vpc, container_insights_v2=ecs.ContainerInsights.ENABLED)
        self.names = discovery.PrivateDnsNamespace(self, "Names", name=DOMAIN, vpc=network.vpc)
        self.place = Aws(data.database.db_instance_endpoint_address, data.artefacts.bucket_name, data.lake.bucket_name)
        self.running = {name: self._service(name, service) for name, service in described(self.place).items()}
        self.balancer = self._balancer()
        self.targets = {
            "serving": self._behind("serving", SERVING_TLS),
            "console": self._behind("console", CONSOLE_TLS),
        }
        self._scale()
        data.read_and_write(self.running["mlflow"].task_definition.task_role, data.artefacts)
        data.read_and_write(self.running["worker"].task_definition.task_role, data.lake)
        data.read(self.running["console"].task_definition.task_role, data.lake)
        setup.define(self.tasks, data, self.place)
        CfnOutput(self, "Address", value=self.balancer.load_balancer_dns_name)

    def _sizes(self) -> dict[str, Size]:
        size = self._size
        return {
            "serving": size.serving,
            "console": size.console,
            "worker": size.worker,
            "mlflow": size.server,
            "prefect": size.server,
        }

    def _container(self, name: str, service: Service) -> Container:
        user = name if name in ("mlflow", "prefect") else "decisions"
        folders = {"/tmp": f"scratch/{name}"}  # noqa: S108, the volume that is mounted there
        if service.uses_home:
            folders[self.place.home] = "home"
        if service.keeps_data:
            folders[self.place.data(service.name)] = name
        return Container(
            name=name,
            image=service.image,
            size=self._sizes()[name],
            command=command(service, self.place),
            settings={**environment(service, self.place, REGION), **self._own(name)},
            secrets={"PGPASSWORD": (self._data.passwords[user], "")},
            folders=folders,
            port=self.place.port(service.metrics if name == "worker" else service.name),
            probe=service.ready if service.ready.startswith("/") and name != "console" else "",
            stop_seconds=min(service.stop_seconds, 120),
        )

    def _own(self, name: str) -> dict[str, str]:
        """The console answers under one name only."""
        return {"STEWARD_MONITORING_ADDRESS": self._console.value_as_string} if name == "console" else {}

    def _service(self, name: str, service: Service) -> ecs.FargateService:
        """One worker at a time: the old one ends before the new one starts. Everything else the other way round."""
        alone = name in ("worker", "prefect")
        return ecs.FargateService(
            self,
            name.capitalize(),
            cluster=self.cluster,
            task_definition=self.tasks.define(self._container(name, service)),
            desired_count=self._size.replicas if name == "serving" else 1,
            min_healthy_percent=0 if alone else 100,
            max_healthy_percent=100 if alone else 200,
            security_groups=[self._network.groups[name]],
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="services"),
            assign_public_ip=False,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            availability_zone_rebalancing=None if alone else ecs.AvailabilityZoneRebalancing.ENABLED,
            health_check_grace_period=Duration.seconds(180) if name in READY else None,
            platform_version=ecs.FargatePlatformVersion.VERSION1_4,
            enable_execute_command=False,
            cloud_map_options=ecs.CloudMapOptions(name=name, cloud_map_namespace=self.names, dns_ttl=Duration.seconds(10))
            if name in ("mlflow", "prefect")
            else None,
        )

    def _balancer(self) -> elb.ApplicationLoadBalancer:
        balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=self._network.vpc,
            internet_facing=False,
            security_group=self._network.groups["balancer"],
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="services"),
            drop_invalid_header_fields=True,
            deletion_protection=self._size.protected,
            idle_timeout=Duration.seconds(60),  # shorter than the service's own, which closes no connection that is reused
        )
        balancer.log_access_logs(self._data.records, "balancer")
        return balancer

    def _behind(self, name: str, port: int) -> elb.ApplicationTargetGroup:
        listener = self.balancer.add_listener(
            f"{name.capitalize()}Listener",
            port=port,
            protocol=elb.ApplicationProtocol.HTTPS,
            ssl_policy=elb.SslPolicy.TLS13_RES,
            certificates=[
                acm.Certificate.from_certificate_arn(self, f"{name.capitalize()}Tls", self._certificate.value_as_string)
            ],
            open=False,
        )
        return listener.add_targets(
            name.capitalize(),
            port=self.place.port(name),
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[self.running[name]],
            deregistration_delay=Duration.seconds(30),
            health_check=elb.HealthCheck(
                path=READY[name],
                healthy_http_codes=WELL[name],
                interval=Duration.seconds(5),
                timeout=Duration.seconds(2),
                healthy_threshold_count=2,
            ),
        )

    def _scale(self) -> None:
        scaled = self.running["serving"].auto_scale_task_count(
            min_capacity=self._size.replicas, max_capacity=self._size.most_replicas
        )
        scaled.scale_on_cpu_utilization("Processor", target_utilization_percent=70, scale_in_cooldown=Duration.minutes(5))
