"""Spark for batches past one machine: an application of EMR Serverless that costs nothing while no job runs."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_emrserverless as emr
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.aws.data import Data
from infra.aws.environments import Environment
from infra.aws.network import Network

RELEASE = "emr-7.10.0"
GIGABYTES_PER_PROCESSOR = 4


class Batch(Stack):
    def __init__(
        self, scope: Construct, name: str, environment: Environment, network: Network, data: Data, **given: object
    ) -> None:
        super().__init__(scope, name, **given)
        processors = environment.spark_processors
        self.application = emr.CfnApplication(
            self,
            "Spark",
            name=f"steward-{environment.name}",
            release_label=RELEASE,
            type="SPARK",
            architecture="X86_64",
            auto_start_configuration=emr.CfnApplication.AutoStartConfigurationProperty(enabled=True),
            auto_stop_configuration=emr.CfnApplication.AutoStopConfigurationProperty(enabled=True, idle_timeout_minutes=5),
            maximum_capacity=emr.CfnApplication.MaximumAllowedResourcesProperty(
                cpu=f"{processors} vCPU", memory=f"{processors * GIGABYTES_PER_PROCESSOR} GB", disk=f"{processors * 20} GB"
            ),
            network_configuration=emr.CfnApplication.NetworkConfigurationProperty(
                subnet_ids=network.vpc.select_subnets(subnet_group_name="services").subnet_ids,
                security_group_ids=[network.groups["spark"].security_group_id],
            ),
        )
        self.role = iam.Role(
            self,
            "Job",
            description="what a Spark job may do",
            assumed_by=iam.ServicePrincipal(
                "emr-serverless.amazonaws.com", conditions={"StringEquals": {"aws:SourceAccount": self.account}}
            ),
        )
        data.read_and_write(self.role, data.lake)
        CfnOutput(self, "Application", value=self.application.attr_application_id)
        CfnOutput(self, "JobRole", value=self.role.role_arn)
