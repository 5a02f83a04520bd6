"""What tells somebody: alarms on what users feel and what fills up, and a budget. The platform's own rules are Prometheus'."""

from aws_cdk import CfnParameter, Duration, Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as watch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.aws.data import Data
from infra.aws.environments import Environment
from infra.aws.services import Services

GIGABYTE = 2**30


class Watching(Stack):
    def __init__(
        self, scope: Construct, name: str, environment: Environment, data: Data, services: Services, **given: object
    ) -> None:
        super().__init__(scope, name, **given)
        self._mail = CfnParameter(
            self, "AlertMail", description="who is told of alarms and of the budget", allowed_pattern=".+@.+"
        )
        self._topic = self._told()
        self._on_serving(services)
        self._on_database(environment, data)
        self._budget(environment)

    def _told(self) -> sns.Topic:
        key = kms.Key(self, "Key", enable_key_rotation=True)
        key.grant_encrypt_decrypt(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
        topic = sns.Topic(self, "Alarms", master_key=key, enforce_ssl=True)
        topic.add_subscription(subscriptions.EmailSubscription(self._mail.value_as_string))
        return topic

    def _on_serving(self, services: Services) -> None:
        group, balancer = services.targets["serving"].metrics, services.balancer.metrics
        minute = Duration.minutes(1)
        failed = group.http_code_target(elb.HttpCodeTarget.TARGET_5XX_COUNT, period=minute, statistic="Sum")
        refused = balancer.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, period=minute, statistic="Sum")
        slow = group.target_response_time(period=minute, statistic="p99")
        healthy = group.healthy_host_count(period=minute, statistic="Minimum")
        more = watch.ComparisonOperator.GREATER_THAN_THRESHOLD
        self._alarm("ServingFails", failed, 0, 3, more, "serving answered with 5xx in three minutes")
        self._alarm("NobodyAnswers", refused, 0, 3, more, "the load balancer had nobody to ask in three minutes")
        self._alarm("ServingIsSlow", slow, 0.25, 5, more, "1 % of requests took more than 250 ms for five minutes")
        less = watch.ComparisonOperator.LESS_THAN_THRESHOLD
        self._alarm("NoReplica", healthy, 1, 2, less, "no replica can answer: no release, no log, or no task", missing=True)

    def _on_database(self, environment: Environment, data: Data) -> None:
        five, database = Duration.minutes(5), data.database
        more, less = watch.ComparisonOperator.GREATER_THAN_THRESHOLD, watch.ComparisonOperator.LESS_THAN_THRESHOLD
        free = database.metric_free_storage_space(period=five, statistic="Minimum")
        busy = database.metric_cpu_utilization(period=five)
        tenth = environment.database_gigabytes * GIGABYTE / 10
        self._alarm("DatabaseFills", free, tenth, 2, less, "less than a tenth of the database's storage is free")
        self._alarm("DatabaseIsBusy", busy, 80, 6, more, "the database's processor was busier than 80 % for half an hour")

    def _alarm(
        self,
        name: str,
        metric: watch.IMetric,
        limit: float,
        times: int,
        how: watch.ComparisonOperator,
        why: str,
        *,
        missing: bool = False,
    ) -> None:
        """`missing`: whether no figures at all are an alarm, too."""
        treated = watch.TreatMissingData.BREACHING if missing else watch.TreatMissingData.NOT_BREACHING
        alarm = watch.Alarm(
            self,
            name,
            metric=metric,
            threshold=limit,
            evaluation_periods=times,
            comparison_operator=how,
            alarm_description=why,
            treat_missing_data=treated,
        )
        told = actions.SnsAction(self._topic)
        alarm.add_alarm_action(told)
        alarm.add_ok_action(told)

    def _budget(self, environment: Environment) -> None:
        reached = budgets.CfnBudget.NotificationProperty(
            notification_type="ACTUAL", comparison_operator="GREATER_THAN", threshold=80, threshold_type="PERCENTAGE"
        )
        foreseen = budgets.CfnBudget.NotificationProperty(
            notification_type="FORECASTED", comparison_operator="GREATER_THAN", threshold=100, threshold_type="PERCENTAGE"
        )
        mail = budgets.CfnBudget.SubscriberProperty(subscription_type="EMAIL", address=self._mail.value_as_string)
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_name=f"steward-{environment.name}",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=environment.budget, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(notification=said, subscribers=[mail])
                for said in (reached, foreseen)
            ],
        )
