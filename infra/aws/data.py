"""What must outlast every container: the database and its passwords, buckets, the home and the images."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_efs as efs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secrets
from constructs import Construct

from infra.aws.environments import Environment
from infra.aws.network import Network
from infra.topology.services import DATABASES

IMAGES = ("serving", "console", "pipelines", "postgres")
"""Of the last only the client is used, once: to make the databases."""


class Data(Stack):
    def __init__(self, scope: Construct, name: str, environment: Environment, network: Network, **given: object) -> None:
        super().__init__(scope, name, **given)
        self._environment, self._network = environment, network
        self._fate = RemovalPolicy.RETAIN if environment.protected else RemovalPolicy.DESTROY
        self.key = kms.Key(self, "Key", enable_key_rotation=True, removal_policy=self._fate)
        self.passwords = {user: self._password(user) for user in DATABASES}
        self.database = self._database()
        self.records = self._bucket("Records", encryption=s3.BucketEncryption.S3_MANAGED)
        self.artefacts = self._bucket("Artefacts", server_access_logs_bucket=self.records, encryption_key=self.key)
        self.lake = self._bucket("Lake", server_access_logs_bucket=self.records, encryption_key=self.key)
        self.home = self._home()
        self.images = {image: self._repository(image) for image in IMAGES}

    def _password(self, user: str) -> secrets.Secret:
        return secrets.Secret(
            self,
            f"{user.capitalize()}Password",
            description=f"password of the database user {user}",
            encryption_key=self.key,
            generate_secret_string=secrets.SecretStringGenerator(password_length=40, exclude_punctuation=True),
        )

    def _database(self) -> rds.DatabaseInstance:
        engine = rds.DatabaseInstanceEngine.postgres(version=rds.PostgresEngineVersion.VER_18_3)
        size = self._environment
        return rds.DatabaseInstance(
            self,
            "Database",
            engine=engine,
            parameter_group=rds.ParameterGroup(
                self,
                "Parameters",
                engine=engine,
                parameters={"rds.force_ssl": "1", "log_statement": "ddl", "log_min_duration_statement": "1000"},
            ),
            instance_type=ec2.InstanceType(size.database),
            credentials=rds.Credentials.from_generated_secret("postgres", encryption_key=self.key),
            vpc=self._network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="data"),
            security_groups=[self._network.groups["database"]],
            allocated_storage=size.database_gigabytes,
            max_allocated_storage=size.database_gigabytes * 4,
            storage_type=rds.StorageType.GP3,
            storage_encrypted=True,
            storage_encryption_key=self.key,
            multi_az=size.standby,
            backup_retention=Duration.days(size.backup_days),
            copy_tags_to_snapshot=True,
            deletion_protection=size.protected,
            removal_policy=RemovalPolicy.SNAPSHOT if size.protected else RemovalPolicy.DESTROY,
            enable_performance_insights=True,
            performance_insight_encryption_key=self.key,
            cloudwatch_logs_exports=["postgresql", "upgrade"],
            iam_authentication=True,
            auto_minor_version_upgrade=True,
            monitoring_interval=Duration.seconds(60),
            ca_certificate=rds.CaCertificate.RDS_CA_RSA2048_G1,
        )

    def _bucket(self, name: str, **given: object) -> s3.Bucket:
        return s3.Bucket(
            self,
            name,
            versioned=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            bucket_key_enabled="encryption_key" in given or None,
            removal_policy=self._fate,
            lifecycle_rules=[
                s3.LifecycleRule(
                    abort_incomplete_multipart_upload_after=Duration.days(7),
                    noncurrent_version_expiration=Duration.days(90),
                )
            ],
            **given,
        )

    def _home(self) -> efs.FileSystem:
        """Release channel, ledger, keys and audit columns are folders: all tasks mount one file system, as pods do."""
        return efs.FileSystem(
            self,
            "Home",
            vpc=self._network.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="data"),
            security_group=self._network.groups["home"],
            encrypted=True,
            kms_key=self.key,
            enable_automatic_backups=True,
            throughput_mode=efs.ThroughputMode.ELASTIC,
            removal_policy=self._fate,
            allow_anonymous_access=False,
        )

    def read_and_write(self, role: iam.IRole, bucket: s3.Bucket) -> None:
        """The objects of one bucket and no more: CDK's own grant names actions by wildcards."""
        objects = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
        self._grant(role, bucket, objects, ["kms:Decrypt", "kms:GenerateDataKey"])

    def read(self, role: iam.IRole, bucket: s3.Bucket) -> None:
        self._grant(role, bucket, ["s3:GetObject"], ["kms:Decrypt"])

    def _grant(self, role: iam.IRole, bucket: s3.Bucket, objects: list[str], keys: list[str]) -> None:
        listing = ["s3:ListBucket", "s3:GetBucketLocation"]
        allowed = {bucket.arn_for_objects("*"): objects, bucket.bucket_arn: listing, self.key.key_arn: keys}
        for resource, actions in allowed.items():
            role.add_to_principal_policy(iam.PolicyStatement(actions=actions, resources=[resource]))

    def folder(self, name: str) -> efs.AccessPoint:
        """A folder of the file system that belongs to the images' user."""
        owner = "10001"
        return self.home.add_access_point(
            name.title().replace("/", ""),
            path=f"/{name}",
            posix_user=efs.PosixUser(uid=owner, gid=owner),
            create_acl=efs.Acl(owner_uid=owner, owner_gid=owner, permissions="0700"),
        )

    def _repository(self, image: str) -> ecr.Repository:
        return ecr.Repository(
            self,
            f"{image.capitalize()}Images",
            repository_name=f"steward-{self._environment.name}/steward-{image}",
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            image_scan_on_push=True,
            encryption=ecr.RepositoryEncryption.KMS,
            encryption_key=self.key,
            removal_policy=self._fate,
        )
