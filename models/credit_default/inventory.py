"""What the owner of the monthly line review answers for. The exposure is recomputed from the panel by a test."""

from models.governance.inventory import Exposure, Inventory, PurposeClass

INVENTORY = Inventory(
    owner="Head of Card Portfolio Management",
    purpose="Once a month, say how likely each credit-card account is to be behind on payment next month",
    purpose_class=PurposeClass.CUSTOMERS,
    permitted=("the monthly line review of existing accounts: keep, review or reduce the credit line",),
    forbidden=(
        "deciding on applications: no applicant was ever scored or observed",
        "pricing, collections, marketing, or any use outside the card portfolio",
        "decisions about real people: the panel is of 2005 and of another country",
    ),
    exposure=Exposure(
        amount=5_024_529_680, unit="TWD", source="sum of the credit limits of all 30,000 accounts of the panel, any month of 2005"
    ),
)
