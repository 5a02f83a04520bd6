"""A network without a way to the internet: what AWS offers is reached by endpoints, and who may call whom is a table."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.aws.environments import REGION, Environment
from infra.aws.place import CONSOLE_TLS, PORTS, SERVING_TLS

NFS, TLS, POSTGRESQL = 2_049, 443, PORTS["postgres"]
MEMBERS = (
    "balancer", "serving", "console", "worker", "mlflow", "prefect", "setup", "spark", "database", "home", "endpoints",
)  # fmt: skip
CALLS = (
    ("balancer", "serving", PORTS["serving"]),
    ("balancer", "console", PORTS["console"]),
    ("console", "prefect", PORTS["prefect"]),
    ("worker", "prefect", PORTS["prefect"]),
    ("worker", "mlflow", PORTS["mlflow"]),
    *((caller, "database", POSTGRESQL) for caller in ("serving", "console", "worker", "mlflow", "prefect", "setup")),
    *((caller, "home", NFS) for caller in ("serving", "console", "worker", "mlflow", "prefect", "setup")),
    *((caller, "endpoints", TLS) for caller in ("serving", "console", "worker", "mlflow", "prefect", "setup", "spark")),
)
"""Who may open a connection to whom, and at which port. Nobody else may."""
TO_THE_STORE = ("serving", "console", "worker", "mlflow", "prefect", "setup", "spark")
"""They pull images, which lie in S3, or read and write the lake. S3's gateway is the network's only way out."""


class Network(Stack):
    def __init__(self, scope: Construct, name: str, environment: Environment, **given: object) -> None:
        super().__init__(scope, name, **given)
        self.key = kms.Key(self, "LogKey", enable_key_rotation=True, removal_policy=RemovalPolicy.DESTROY)
        self.key.grant_encrypt_decrypt(iam.ServicePrincipal(f"logs.{REGION}.amazonaws.com"))
        self.vpc = self._vpc(environment)
        self.groups = {member: self._group(member) for member in MEMBERS}
        for caller, called, port in CALLS:
            self.groups[caller].connections.allow_to(self.groups[called], ec2.Port.tcp(port), f"{caller} to {called}")
        for caller in TO_THE_STORE:
            self.groups[caller].add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(TLS), "S3, by the gateway")
        for port in (SERVING_TLS, CONSOLE_TLS):
            self.groups["balancer"].add_ingress_rule(ec2.Peer.ipv4(environment.clients), ec2.Port.tcp(port), "clients")
        self._endpoints()

    def _vpc(self, environment: Environment) -> ec2.Vpc:
        vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(environment.cidr),
            availability_zones=[REGION + zone for zone in environment.zones],
            nat_gateways=0,
            restrict_default_security_group=False,  # its custom resource is a Lambda; nothing here is in the default group
            subnet_configuration=[
                ec2.SubnetConfiguration(name=name, subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=20)
                for name in ("services", "data")
            ],
        )
        group = logs.LogGroup(
            self,
            "FlowLog",
            retention=logs.RetentionDays.ONE_YEAR,
            encryption_key=self.key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        vpc.add_flow_log("Flows", destination=ec2.FlowLogDestination.to_cloud_watch_logs(group))
        return vpc

    def _group(self, member: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(
            self, member.capitalize(), vpc=self.vpc, description=f"steward {member}", allow_all_outbound=False
        )

    def _endpoints(self) -> None:
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        services = ec2.InterfaceVpcEndpointAwsService
        for name, service in {
            "Registry": services.ECR,
            "Images": services.ECR_DOCKER,
            "Logs": services.CLOUDWATCH_LOGS,
            "Secrets": services.SECRETS_MANAGER,
        }.items():
            self.vpc.add_interface_endpoint(
                name,
                service=service,
                subnets=ec2.SubnetSelection(subnet_group_name="services"),
                security_groups=[self.groups["endpoints"]],
                open=False,
            )
