"""Requests as nobody should send them, made of good ones: the same seed makes the same requests."""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from serving.protocols.frames import ARROW
from tests.bundles import MODEL, record, records
from tests.tensors import INFER, binary, tensors
from tests.unit.serving.adapters.test_arrow_streams import stream, table

SCORE = f"/v1/models/{MODEL}/score"
JSON = ("content-type", "application/json")
KEY = ("authorization", "Bearer secret-app")


@dataclass(frozen=True)
class Sent:
    """`body` is what the server should read, `head` raw lines beside those of its length; `chunks` > 0 sends it in that many."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    chunks: int = 0
    odd_head: tuple[bytes, ...] = ()
    what: tuple[str, ...] = field(default=())

    @property
    def holds_a_key(self) -> bool:
        return [value for name, value in self.headers if name.lower() == "authorization"] == [KEY[1]]

    def wire(self) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1".encode("utf-8", "surrogatepass"), b"host: door"]
        lines += [f"{name}: {value}".encode("utf-8", "surrogatepass") for name, value in self.headers]
        lines += self.odd_head
        if self.chunks:
            size = max(1, len(self.body) // self.chunks)
            parts = [self.body[at : at + size] for at in range(0, len(self.body), size)]
            sent = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
            lines.append(b"transfer-encoding: chunked")
        else:
            sent = self.body
            lines.append(b"content-length: %d" % len(sent))
        return b"\r\n".join([*lines, b"", sent])


Chance = random.Random
Change = Callable[[Sent, Chance], Sent]

NUMBERS = [0, -1, 1, 10**30, -(10**400), 1e308, -1e308, 5e-324, 0.1, 1.0, 2**53 + 1, 2**63, True]
TEXTS = [
    *("", "28", "\x00", "\ud800", "é" * 300, "A" * 5_000, "2005-13", "0000-01", "9999-12", "2005-07 "),
    *("\U0001f4b3", "\u202e", "'; --", "null"),
]
OTHERS: list[Any] = [None, [], {}, [[]], {"a": 1}, [1, 2]]
LITERALS = [
    *("NaN", "Infinity", "-Infinity", "1e400", "-0", "00", "1.", ".5", "0x1", "1_0", "1e-400", "9" * 5_000),
    *("tru", "'a'", '"\\ud800"', '"\\u0000"'),
]
NAMES = [
    *("sex", "age", "marriage", "education", "probability", "records", "", "__proto__"),
    *("account_id ", "ACCOUNT_ID", "status_0\u0000"),
]
OF_MODEL = f"/v1/models/{MODEL}"
PATHS = [
    *("/", "//", "/v1", "/v1/models/", "/v1/models/../models", "/v1/models/%2e%2e/score", "/%ff", "/é", "*", "/docs"),
    *(f"{OF_MODEL}%00/score", f"{OF_MODEL}/score/", f"{OF_MODEL}/score%0A", f"/{OF_MODEL}/score", f"{OF_MODEL}/score?a=b&a=%zz"),
    *("/v1/models/x/score", "/v1/models//score", "/v1/decisions//review", "/v1/decisions/%27/review"),
    *("/health/ready/", "/" + "a" * 5_000),
]
METHODS = ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "HEAD", "POST", "PRI")
LINES = (
    *(b"transfer-encoding: chunked", b"content-length: 3", b"content-length: -1"),
    *(b"\x00: a", b"no colon", b": empty", b"a: b\nc: d"),
)


def asks(count: int, seed: int, decision: str) -> Iterator[Sent]:
    """So many requests; some of them are good. `decision` is the id of one that waits for a person."""
    chance = Chance(seed)
    for _ in range(count):
        sent = chance.choice(_GOOD)(chance, decision)
        for change in chance.choices(_CHANGES, k=chance.choice((0, 1, 1, 1, 2, 3))):
            sent = replace(change(sent, chance), what=(*sent.what, change.__name__))
        yield sent


def _post(path: str, body: Any, *headers: tuple[str, str]) -> Sent:
    return Sent("POST", path, (KEY, *(headers or (JSON,))), body if isinstance(body, bytes) else json.dumps(body).encode())


def _one(chance: Chance, _decision: str) -> Sent:
    return _post(SCORE, record(account_id=f"A{chance.randrange(10**6)}", status_0=chance.choice((-1, 0, 2, 3))))


def _batch(chance: Chance, _decision: str) -> Sent:
    return _post(SCORE, {"records": records(*[{} for _ in range(chance.choice((1, 2, 30)))])})


def _counsel(_chance: Chance, _decision: str) -> Sent:
    return _post(f"/v1/models/{MODEL}/counterfactual", record())


def _review(chance: Chance, decision: str) -> Sent:
    body = {"outcome": chance.choice(("keep", "reduce")), "reviewer": "app", "reason_code": "X", "statement": "income is too low"}
    return _post(f"/v1/decisions/{decision}/review", body)


def _frame(chance: Chance, _decision: str) -> Sent:
    one = record(account_id=f"A{chance.randrange(10**6)}")
    form = chance.choice(("split", "records", "inputs", "csv"))
    if form == "csv":
        text = ",".join(one) + "\n" + ",".join(map(str, one.values()))
        return _post("/invocations", text.encode(), ("content-type", "text/csv"))
    frames: Mapping[str, Any] = {
        "split": {"dataframe_split": {"columns": list(one), "data": [list(one.values())]}},
        "records": {"dataframe_records": [one]},
        "inputs": {"inputs": {name: [value] for name, value in one.items()}},
    }
    return _post("/invocations", frames[form])


def _tensors(chance: Chance, _decision: str) -> Sent:
    count = chance.choice((1, 1, 9))
    asked = [record(account_id=f"A{chance.randrange(10**6)}", status_0=chance.choice((0, 2))) for _ in range(count)]
    if chance.random() < 0.5:
        return _post(INFER, {"inputs": tensors(asked), "id": "mine"})
    body, head = binary(asked)
    return _post(INFER, body, ("content-type", "application/octet-stream"), *head.items())


def _stream(chance: Chance, _decision: str) -> Sent:
    asked = [record(account_id=f"A{chance.randrange(10**6)}") for _ in range(chance.choice((1, 1, 9)))]
    return _post(SCORE, stream(table(asked)), ("content-type", ARROW))


def _read(chance: Chance, decision: str) -> Sent:
    paths = ("/v1/models", "/health/ready", "/health/live", "/ping", "/metrics", f"/v1/decisions/{decision}/review")
    paths += ("/v2", "/v2/health/ready", f"/v2/models/{MODEL}", f"/v2/models/{MODEL}/versions/1/ready")
    return Sent(chance.choice(("GET", "HEAD")), chance.choice(paths), (KEY,))


_GOOD = [_one, _one, _one, _batch, _counsel, _review, _frame, _frame, _tensors, _tensors, _stream, _read]


def flip_bytes(sent: Sent, chance: Chance) -> Sent:
    body = bytearray(sent.body)
    for _ in range(chance.choice((1, 1, 3)) if body else 0):
        body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    return replace(sent, body=bytes(body))


def truncate(sent: Sent, chance: Chance) -> Sent:
    return replace(sent, body=sent.body[: chance.randrange(len(sent.body) + 1)])


def double_a_part(sent: Sent, chance: Chance) -> Sent:
    at, to = sorted(chance.randrange(len(sent.body) + 1) for _ in range(2))
    return replace(sent, body=sent.body[:to] + sent.body[at:])


def change_a_value(sent: Sent, chance: Chance) -> Sent:
    def changed(fields: dict[str, Any]) -> None:
        fields[chance.choice(list(fields))] = chance.choice(chance.choice((NUMBERS, TEXTS, OTHERS)))  # type: ignore[arg-type]

    return _with_fields(sent, chance, changed)


def take_a_field(sent: Sent, chance: Chance) -> Sent:
    return _with_fields(sent, chance, lambda fields: fields.pop(chance.choice(list(fields))))


def add_a_field(sent: Sent, chance: Chance) -> Sent:
    return _with_fields(sent, chance, lambda fields: fields.update({chance.choice(NAMES): chance.choice([1, "a", None, {}])}))


def double_a_field(sent: Sent, chance: Chance) -> Sent:
    """As text, for no object of Python has a name twice."""
    at = sent.body.rfind(b"}")
    name = chance.choice(list(record())).encode()
    return replace(sent, body=sent.body[:at] + b', "' + name + b'": 0' + sent.body[at:]) if at > 0 else sent


def write_a_literal(sent: Sent, chance: Chance) -> Sent:
    """What no JSON encoder writes."""
    parts = sent.body.split(b": ")
    if len(parts) < 2:
        return sent
    at = chance.randrange(1, len(parts))
    rest = parts[at][min(place for place in (*map(parts[at].find, (b",", b"}")), len(parts[at])) if place >= 0) :]
    parts[at] = chance.choice(LITERALS).encode() + rest
    return replace(sent, body=b": ".join(parts))


def nest(sent: Sent, chance: Chance) -> Sent:
    depth = chance.choice((1, 2, 199, 201, 5_000))
    left, right = chance.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'{"records":', b"}")))
    return replace(sent, body=left * depth + sent.body + right * chance.choice((0, depth)))


def encode_otherwise(sent: Sent, chance: Chance) -> Sent:
    text = sent.body.decode("utf-8", "replace")
    return replace(sent, body=text.encode(chance.choice(("utf-16", "utf-8-sig", "utf-32", "latin-1")), "replace"))


def escape_names(sent: Sent, _chance: Chance) -> Sent:
    return replace(sent, body=sent.body.replace(b'"status_0"', b'"\\u0073tatus_0"').replace(b'"records"', b'"record\\u0073"'))


def declare_otherwise(sent: Sent, chance: Chance) -> Sent:
    kind = chance.choice(("text/plain", "application/json; charset=latin-1", "", "text/csv", "application/xml", "a, b", "é"))
    return replace(sent, headers=(*(each for each in sent.headers if each[0] != JSON[0]), (JSON[0], kind)))


def add_a_header(sent: Sent, chance: Chance) -> Sent:
    odd = (
        ("idempotency-key", chance.choice(("", "k", "é", "a" * 300, "a b"))),
        ("x-request-id", chance.choice(("", "id", "é", "a" * 300, "<script>"))),
        ("content-encoding", chance.choice(("gzip", "identity", "br"))),
        ("expect", "100-continue"),
        ("connection", chance.choice(("close", "upgrade", "keep-alive, x"))),
        ("upgrade", chance.choice(("websocket", "h2c"))),
        ("x-amzn-sagemaker-target-model", chance.choice(("", MODEL, "x", "é"))),
        ("traceparent", chance.choice(("", "00-a-b-01", "é"))),
        ("x-" + "a" * 100, "b" * chance.choice((1, 40_000))),
    )
    return replace(sent, headers=(*sent.headers, *chance.sample(odd, k=chance.choice((1, 2)))))


def break_the_head(sent: Sent, chance: Chance) -> Sent:
    return replace(sent, odd_head=(chance.choice(LINES),))


def present_otherwise(sent: Sent, chance: Chance) -> Sent:
    others = [(name, value) for name, value in sent.headers if name != KEY[0]]
    shown: tuple[tuple[tuple[str, str], ...], ...] = ((), ((KEY[0], "Bearer x"),), ((KEY[0], ""),), ((KEY[0], "é"),), (KEY, KEY))
    return replace(sent, headers=(*others, *chance.choice(shown)))


def ask_elsewhere(sent: Sent, chance: Chance) -> Sent:
    return replace(sent, path=chance.choice(PATHS))


def ask_otherwise(sent: Sent, chance: Chance) -> Sent:
    return replace(sent, method=chance.choice(METHODS))


def send_in_chunks(sent: Sent, chance: Chance) -> Sent:
    return replace(sent, chunks=chance.choice((1, 3, 50)))


_CHANGES: list[Change] = [
    *(flip_bytes, truncate, double_a_part, change_a_value, change_a_value, change_a_value, take_a_field, add_a_field),
    *(double_a_field, write_a_literal, write_a_literal, nest, encode_otherwise, escape_names, declare_otherwise),
    *(add_a_header, break_the_head, present_otherwise, ask_elsewhere, ask_otherwise, send_in_chunks),
]


def _with_fields(sent: Sent, chance: Chance, change: Callable[[dict[str, Any]], object]) -> Sent:
    """The body with one of its objects changed; as it is if it has none any more."""
    try:
        whole = json.loads(sent.body)
    except (ValueError, RecursionError):
        return sent
    found = [each for each in _objects(whole) if each]
    if not found:
        return sent
    change(chance.choice(found))
    return replace(sent, body=json.dumps(whole).encode())


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _objects(each)
