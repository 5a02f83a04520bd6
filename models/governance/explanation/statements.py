"""What is no reason: one rule for the notices of a policy and for what a reviewer states.

Regulation B asks for the specific principal reasons. That internal standards or policies led to it, or that a score was not
reached, is insufficient (12 CFR 1002.9(b)(2)); a prohibited ground may not be one at all (1002.4(a), 1002.2(z)). So a text
must be made of words, some of which say what about the account or the customer led to it. Words cannot show that it is true:
who states a reason is recorded with it.
"""

import re
from unicodedata import category, normalize

FEWEST = 3
"""Different words in a reason, at least. Of a script without spaces every character is a word."""
EXAMPLES = '"Unable to verify income" or "Payments behind the agreed schedule"'

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_\u3040-\u30ff\u3400-\u9fff]{2,}")
# Items of sample form C-1 (appendix C to part 1002) that have fewer words.
_SHORT = frozenset({"bankruptcy", "temporary residence"})

_VERDICT = re.compile(
    r"\w*scor(?:e|ing)\w*|\bcut\W?offs?\b|\bprobabilit\w+|\bcriteri(?:a|on)\b|\balgorithm\w*|\breason\W+codes?\b"
    r"|\bmachine learning\b|\bartificial intelligence\b"
    r"|\binternal\W+(?:standard|polic|rule|guideline|requirement)\w*|[評评]分|分[數数]|模型|[門门][檻槛]|[概機机]率"
)
"""How it was decided, which never is the reason."""
_AMBIGUOUS = re.compile(
    r"\bpoints?\b|\bmodels?\b|\bpolic(?:y|ies)\b|\bsystems?\b|\bstandards?\b|\bguidelines?\b|\bthresholds?\b"
    r"|\brequirements?\b|\brules?\b|系[統统]|政策|[標标][準准]|[規规]定"
)
"""How it was decided, or a thing of the customer's: an insurance policy, percentage points. Something else must say which."""
_FACT = re.compile(
    r"\b(?:income|salar|wage|pension|earn|employ|job|pay|paid|repay|debit|debt|obligation|loan|mortgage|bill|balance|arrear"
    r"|overdue|delinquen|default|overdraft|collateral|insur|residen|address|identi|document|proof|fraud|stolen|bankrupt"
    r"|foreclos|judge?ment|garnish|transaction|deposit|expens|invoice)\w*|收入|付款|[還还]款|[債债]|工作|地址|[帳账][單单]|逾期"
)

# Ages of things are no ground; they are taken out before grounds are looked for.
_THING = r"(?:accounts?|cards?|credits?|debts?|loans?|bills?|balances?|files?|reports?|records?|documents?|arrears|history)"
_COUNT = r"(?:only|just|less|more|than|not|yet|about|a|few|\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_AGE_OF_A_THING = re.compile(
    rf"\bage of (?:(?:the|this|your|our|an?|oldest|newest|open|credit|bank) )*{_THING}\b"
    rf"|\bold(?:er|est)? (?:unpaid |open |credit )?{_THING}\b"
    rf"|\b{_THING} (?:is|are|was|were) (?:{_COUNT} )*(?:days?|weeks?|months?|years?) old\b"
)
_GROUND = re.compile(
    r"\b(?:ages?|aged|old|older|oldest|elderly|young|younger|youth\w*|senior citizens?|date of birth|born|birth\w*"
    r"|sex|sexual\w*|genders?|male|males|female|females|man|men|woman|women|transgender|homosexual\w*|gay|lesbian|pregnan\w*"
    r"|child|children|childbearing|married|unmarried|marriage|marital|spouses?|husband|wife|widow\w*|divorce\w*"
    r"|(?:are|is|being|as|a) single(?= ?$| ?[.,;]| person| parent| mother| father)"
    r"|races?|racial\w*|ethnic\w*|skin|colou?r|nationalit\w+|national origin|foreigners?|immigra\w+"
    r"|religio\w*|church|mosque|synagogue|muslims?|christians?|catholics?|jew|jews|jewish|hindus?|buddhists?"
    r"|public assistance|welfare|disab\w+|handicap\w*)\b"
    r"|年[齡龄紀纪]|太老|年老|年[輕轻]|性[別别]|女性|男性|[懷怀]孕|婚姻|已婚|未婚|[離离]婚|[種种]族|民族|宗教|[國国]籍|膚色|肤色"
)

_SAYING_NOTHING = """
about above after again all also always an and any are as at be because been before being below but by can could did do does
each else ever every for from given had has have having he her here him his how if in into is it its just let like many may
me might more most much must my never no nor not now of on once one only or other our ours out over own per said same say
says see seen she should so some such than that the their them then there these they this those through to today together
too two three under until up us very was we were what when where which who whom whose why will with within without would yes
yet you your yours
accept accepted acceptable account accounts action adverse answer application applied apply approval approve approved
assessment automated automatic automatically bad bank bank's banks based code codes comment computer customer customers
decide decided decides decision decisions declined decline deny denied due enough fail failed fails failure good grade high
higher internal judged judgement know known low lower made make manager mean means meet meets met minimum maximum model
models need needed needs none nothing officer outcome output overall passed point points policies policy poor process profile
qualified qualify rank rating ratings reach reached reason reasons reduce reduced reduction refuse refused reject rejected
required requirement requirements result results review reviewed reviewer risk risks risky rule rules side standard standards
system systems test text threshold thresholds unsatisfactory unacceptable verdict weak
according analysis appetite attached business calculated calculation call called colleague commercial committee computed
confidential credit creditworthiness creditworthy data department eligibility eligible email enclosed evaluated evaluation human
inadequate ineligible information insufficient law legal letter limit limits line lines longer management offer people person
phone regulation regulatory satisfied satisfy statistical strategy sufficient team telephone unfavourable
"""
"""Words that by themselves say nothing about the account or the customer."""
_EMPTY = frozenset(_SAYING_NOTHING.split())


def objection(text: str) -> str:
    """Why a customer cannot be given this text as a reason, as the end of a sentence; "" if nothing speaks against it."""
    plain = _plain(text)
    words = frozenset(_WORD.findall(plain))
    if plain.strip(" .") in _SHORT:
        return ""
    if len(words) < FEWEST:
        return f"has fewer than {FEWEST} different words"
    if ground := _GROUND.search(_AGE_OF_A_THING.sub(" ", plain)):
        return f"speaks of {ground.group().strip()!r}, which may be no ground of a decision (12 CFR 1002.4(a))"
    found = _VERDICT.search(plain) or (None if _FACT.search(plain) else _AMBIGUOUS.search(plain))
    if found:
        return f"speaks of {found.group()!r}, of how it was decided, which is no reason (12 CFR 1002.9(b)(2))"
    if not words - _EMPTY:
        return "names nothing about the account or the customer that led to it"
    return ""


def _plain(text: str) -> str:
    """Small letters in one width, single spaces, no characters that nobody sees."""
    shown = "".join(sign for sign in normalize("NFKC", text) if category(sign) != "Cf")
    return " ".join(shown.casefold().split())
