"""What a customer may be given as a reason, and what is none: by one rule, whoever writes it."""

import pytest

from models.governance.explanation.statements import objection

SAYS_NOTHING = (
    "",
    " ",
    "x",
    "Income. -- !",
    "Low income",
    "收入",
    "the the the",
    "1 2 3",
    "a b c",
    "x x x",
    "You failed to reach a qualifying score",
    "You failed to achieve a qualifying score",
    "The required score was not one your score reached",
    "Your score was too low",
    "Your ｓｃｏｒｅ was too low",
    "Your sc\u00adore was too low",
    "because of a low credit score",
    "Score below the cut-off of the bank",
    "Model probability above cut-off",
    "Model output is too high",
    "You did not reach the minimum points",
    "failed to qualify for our criteria",
    "system said so always",
    "see reason code above",
    "our bank policy says so",
    "Our internal\nstandards are not met",
    "Decided by the credit scoring system",
    "You do not meet our requirements",
    "Bank decision after review",
    "Your credit limit was reduced due to risk",
    "This was a business decision of our committee",
    "Insufficient creditworthiness of the customer",
    "Reasons given by phone",
    "According to a statistical analysis of your data",
    "Machine learning found unpaid bills",
    "信用評分不足",
)
PROHIBITED = (
    "You are too old for this",
    "The account holder is 70 years old",
    "Because of your age and income",
    "Too young for the line",
    "Income of a married woman",
    "You are a single mother with debts",
    "Because you are single",
    "Religion of the customer unknown",
    "Race and national origin",
    "Income from public assistance",
    "因為年齡太大了",
)
REASONS = (
    # sample form C-1
    "Credit application incomplete",
    "Insufficient number of credit references provided",
    "Unacceptable type of credit references provided",
    "Unable to verify credit references",
    "Temporary or irregular employment",
    "Unable to verify employment",
    "Length of employment",
    "Income insufficient for amount of credit requested",
    "Excessive obligations in relation to income",
    "Unable to verify income",
    "Length of residence",
    "Temporary residence",
    "Unable to verify residence",
    "No credit file",
    "Limited credit experience",
    "Poor credit performance with us",
    "Delinquent past or present credit obligations with others",
    "Collection action or judgment",
    "Garnishment or attachment",
    "Foreclosure or repossession",
    "Bankruptcy",
    "Number of recent inquiries on credit bureau report",
    "Value or type of collateral not sufficient",
    # what people write
    "收入不足",
    "Income not sufficient for the line",
    "your payments were behind the agreed schedule",
    "Your insurance policy has lapsed",
    "Debts rose by ten percentage points",
    "The debit was returned by the payment system of your bank",
    "A single payment was returned unpaid in June",
    "Phone number could not be confirmed",
    "Credit limit used in full for six months",
    "Age of the account",
    "The account is only two months old",
    "Old debts remain unpaid",
    "Card reported stolen by its holder",
    "Average utilisation of the limit above ninety per cent",
)


@pytest.mark.parametrize("text", SAYS_NOTHING)
def test_what_says_nothing_about_the_account_is_no_reason(text: str) -> None:
    assert objection(text)


@pytest.mark.parametrize("text", PROHIBITED)
def test_a_prohibited_ground_is_no_reason(text: str) -> None:
    assert "no ground of a decision" in objection(text)


@pytest.mark.parametrize("text", REASONS)
def test_what_names_a_fact_is_a_reason(text: str) -> None:
    assert objection(text) == ""


def test_the_objection_says_which_words_and_why() -> None:
    assert objection("Your score was too low") == (
        "speaks of 'score', of how it was decided, which is no reason (12 CFR 1002.9(b)(2))"
    )
    assert objection("Low income") == "has fewer than 3 different words"
