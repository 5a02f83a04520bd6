"""Every environment's stacks, joined. `python -m infra.aws` writes their templates."""

from dataclasses import dataclass
from pathlib import Path

import aws_cdk as cdk

from infra.aws import findings
from infra.aws.batch import Batch
from infra.aws.data import Data
from infra.aws.environments import REGION, Environment
from infra.aws.network import Network
from infra.aws.services import Services
from infra.aws.watching import Watching

FLAGS = {"@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": True}  # instead of access lists, which S3 advises against


@dataclass(frozen=True)
class Platform:
    app: cdk.App
    network: Network
    data: Data
    services: Services
    batch: Batch
    watching: Watching

    @property
    def stacks(self) -> tuple[cdk.Stack, ...]:
        return self.network, self.data, self.services, self.batch, self.watching


def build(environment: Environment, folder: Path) -> Platform:
    """The account is the one that deploys. Nothing is asked of AWS: what it would have to say is in the environment."""
    app = cdk.App(outdir=str(folder), analytics_reporting=False, context=FLAGS)
    place = cdk.Environment(region=REGION)
    prefix = f"steward-{environment.name}"

    def given(name: str) -> dict[str, object]:
        # Whoever deploys brings the rights: no bucket or role of a bootstrap is needed, as the stacks carry no files.
        return {"env": place, "stack_name": f"{prefix}-{name}", "synthesizer": cdk.LegacyStackSynthesizer()}

    network = Network(app, f"{prefix}-network", environment, **given("network"))
    data = Data(app, f"{prefix}-data", environment, network, **given("data"))
    services = Services(app, f"{prefix}-services", environment, network, data, **given("services"))
    batch = Batch(app, f"{prefix}-batch", environment, network, data, **given("batch"))
    watching = Watching(app, f"{prefix}-watching", environment, data, services, **given("watching"))
    cdk.Tags.of(app).add("platform", "steward")
    cdk.Tags.of(app).add("environment", environment.name)
    platform = Platform(app, network, data, services, batch, watching)
    for part, rule, reason in findings.accepted(environment):
        cdk.Validations.of(getattr(platform, part)).acknowledge(cdk.Acknowledgment(id=rule, reason=reason))
    return platform
