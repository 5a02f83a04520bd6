"""What is known of one credit-card account at the end of one month. Adding a column is one line."""

from models.contract import Contract, Record, Role, column

# Codes -2 and 0 are used but not described in the published code book; their meaning is the data owner's later answer.
STATUS = {
    -2: "no consumption",
    -1: "paid in full",
    0: "revolving credit used",
    **{months: f"{months} month{'s' if months > 1 else ''} behind" for months in range(1, 9)},
    9: "9 months behind or more",
}


class AccountMonth(Record):
    account_id: str = column(Role.KEY, "account number", example="A00017", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    snapshot_month: str = column(  # the panel begins in 2005: before, there was nothing to know
        Role.TIME, "month at whose end this was known", example="2005-07", pattern=r"^20(0[5-9]|[1-9]\d)-(0[1-9]|1[0-2])$"
    )
    credit_limit: float = column(Role.INPUT, "credit limit", example=50_000.0, unit="TWD", ge=1, le=10_000_000)
    status_0: int = column(Role.INPUT, "repayment status of the snapshot month", example=0, codes=STATUS)
    status_1: int = column(Role.INPUT, "repayment status of the month before", example=0, codes=STATUS)
    bill_0: float = column(
        Role.INPUT,
        "bill of the snapshot month; negative is a credit balance",
        example=28_314.0,
        unit="TWD",
        ge=-5_000_000,
        le=5_000_000,
    )
    bill_1: float = column(Role.INPUT, "bill of the month before", example=49_291.0, unit="TWD", ge=-5_000_000, le=5_000_000)
    payment_0: float = column(Role.INPUT, "paid in the snapshot month", example=1_100.0, unit="TWD", ge=0, le=5_000_000)
    payment_1: float = column(Role.INPUT, "paid in the month before", example=1_200.0, unit="TWD", ge=0, le=5_000_000)
    sex: int = column(Role.AUDIT, "sex (prohibited basis)", example=2, codes={1: "male", 2: "female"})
    education: int = column(
        Role.AUDIT,
        "education (proxy risk)",
        example=2,
        codes={
            0: "unknown",
            1: "graduate school",
            2: "university",
            3: "high school",
            4: "other",
            5: "unknown",
            6: "unknown",
        },
    )
    marriage: int = column(
        Role.AUDIT,
        "marital status (prohibited basis)",
        example=1,
        codes={0: "unknown", 1: "married", 2: "single", 3: "other"},
    )
    age: int = column(Role.AUDIT, "age (restricted)", example=37, unit="years", ge=18, le=120)
    outcome_code: int = column(
        Role.OUTCOME,
        "what the outcome month was coded as: a repayment status, or the published label",
        example=0,
        codes=STATUS,
    )


CONTRACT = Contract.of(AccountMonth, name="credit_default", version=1)
