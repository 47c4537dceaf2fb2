"""Reading pushed messages: who sent them, in which form, whose they are, what is refused."""

import base64
import json
from typing import Any
from uuid import uuid4

import pytest

from common.contracts.shapes import Shape
from common.ports.transaction import Transaction
from common.runtime.pushed import BODY_BYTES_MAX
from tests.functions.pushing import TYPE, Post, event, wrapped
from tests.hotel import Hotel

pytestmark = pytest.mark.req("EVT-5")
CARD = "4111 1111 1111 1111"


@pytest.fixture
def post(hotel: Hotel) -> Post:
    return Post(hotel).named()


def structured(told: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    return json.dumps(told).encode(), {"Content-Type": "application/cloudevents+json"}


def binary(told: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    headers = {f"ce-{name}": str(value) for name, value in told.items() if name != "data"}
    return json.dumps(told["data"]).encode(), headers


def pushed(told: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    return wrapped(told), {}


def pushed_structured(told: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    data = base64.b64encode(json.dumps(told).encode()).decode()
    attributes = {"content-type": "application/cloudevents+json"}
    return wrapped({}, attributes=attributes, data=data), {}


def pushed_plainly(told: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Attributes without a prefix, as some services name them."""
    attributes = {name: str(value) for name, value in told.items() if name != "data"}
    return wrapped(told, attributes=attributes), {}


FORMS = [structured, binary, pushed, pushed_structured, pushed_plainly]


@pytest.mark.req("EVT-1")
@pytest.mark.parametrize("form", FORMS)
def test_reads_every_form_of_a_cloud_event(form: Any, post: Post, hotel: Hotel) -> None:
    told = event(hotel, sequence=3, unheardof="of")
    told["data"]["yetToCome"] = {"a": [1]}

    assert post.send(*form(told)).status_code == 204
    assert (post.effects(), post.letters()) == (1, [])


@pytest.mark.req("EVT-1")
def test_a_field_that_is_added_to_our_own_event_is_passed_over(hotel: Hotel) -> None:
    """While a new version is rolled out, the old consumer hears the new publisher."""

    class Own(Shape):
        guest: str

    def on_own(own: Own, tx: Transaction) -> None:
        tx.tell(tx.incidents.take(own.guest).refused("HEARD"))

    on_own.__annotations__ = {"own": Own, "tx": Transaction, "return": None}
    post = Post(hotel, on_own)
    told = event(hotel, data={"guest": "layla", "addedLater": True})

    assert post.push(told).status_code == 204
    assert post.effects() == 1


def test_the_forms_are_the_same_event(post: Post, hotel: Hotel) -> None:
    told = event(hotel)

    assert {post.send(*form(told)).status_code for form in FORMS} == {204}
    assert post.effects() == 1


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"audience": "https://elsewhere.example"}, 401, "TOKEN_AUDIENCE"),
        ({"email": "intruder@project.iam.gserviceaccount.com"}, 403, "SERVICE_ACCOUNT_REFUSED"),
    ],
)
def test_refuses_whoever_is_not_the_pushing_account(
    changed: dict[str, Any], status: int, code: str, post: Post, hotel: Hotel
) -> None:
    answer = post.send(wrapped(event(hotel)), token=post.token(**changed))

    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["code"] == f"MELMASTOON.IAM.{code}"
    assert (post.effects(), post.letters()) == (0, [])


@pytest.mark.req("SEC-5")
def test_refuses_a_push_without_a_services_token(post: Post, hotel: Hotel) -> None:
    """None at all, or a person's: staff cannot tell events."""
    body = wrapped(event(hotel))

    assert post.send(body, token=None).status_code == 401
    assert post.send(body, token=hotel.token()).status_code == 401
    assert post.send(body, token="x.y.z").status_code == 401
    assert post.send(body, method="PUT").status_code == 405
    assert (post.effects(), post.letters()) == (0, [])


@pytest.mark.req("SEC-5")
def test_refuses_a_token_that_has_expired(post: Post, hotel: Hotel) -> None:
    wiring, identity = hotel.house.wiring, hotel.house.identity
    now = int(wiring.clock.now().timestamp())
    claims = {
        "iss": identity.issuer,
        "aud": wiring.settings.oidc_audience,
        "sub": "1",
        "email": wiring.settings.oidc_account,
        "email_verified": True,
        "iat": now - 7200,
        "exp": now - 3600,
    }

    answer = post.send(
        wrapped(event(hotel)), token=identity.sign(claims, typ="JWT", algorithm="RS256")
    )

    assert (answer.status_code, post.effects()) == (401, 0)
    assert answer.json["code"] == "MELMASTOON.IAM.TOKEN_EXPIRED"


def changed(**members: Any) -> Any:
    return lambda told: wrapped({**told, **members})


def without(name: str) -> Any:
    return lambda told: wrapped({key: value for key, value in told.items() if key != name})


MALFORMED = {
    "no json": lambda told: b"{",
    "no object": lambda told: b"[]",
    "nothing": lambda told: b"",
    "no utf-8": lambda told: b'{"message": "\xff"}',
    "a key twice": lambda told: b'{"message": {}, "message": {}}',
    "nested without end": lambda told: b"[" * 100_000,
    "no message": lambda told: b'{"subscription": "s"}',
    "no base64": lambda told: wrapped(told, data="***"),
    "data no json": lambda told: wrapped(told, data=base64.b64encode(b"<a/>").decode()),
    "data no object": changed(data=[1]),
    "data of the wrong shape": changed(data={"guest": 7}),
    "data that lacks a field": changed(data={"stars": 5}),
    "half a surrogate pair": changed(data={"guest": "\ud800"}),
    "another type": changed(type="melmastoon.test.guest.praised.v2"),
    "another version of the envelope": changed(specversion="0.3"),
    "a tenant that is none": changed(tenantid="1 OR 1=1"),
    "an id with a break": changed(id="a\nb"),
    "no type": without("type"),
    "no id": without("id"),
    "no source": without("source"),
    "no tenant": without("tenantid"),
    "an attribute twice": lambda told: wrapped(
        told, attributes={f"ce-{k}": str(v) for k, v in told.items()} | {"id": "other"}
    ),
    "too large": lambda told: b"x" * (BODY_BYTES_MAX + 1),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_cannot_be_read_is_a_dead_letter(name: str, post: Post, hotel: Hotel) -> None:
    body = MALFORMED[name](event(hotel))

    answers = [post.send(body).status_code for _ in range(2)]

    assert answers == [204, 204]
    assert post.effects() == 0
    ((reason, _),) = post.letters()
    assert reason.startswith(("MELMASTOON.GENERAL.VALIDATION_FAILED", "MELMASTOON.GENERAL.BODY"))


def test_a_bad_message_does_not_hold_up_the_good_ones(post: Post, hotel: Hotel) -> None:
    for number in range(20):
        body = b"{" if number % 4 == 0 else wrapped(event(hotel))
        assert post.send(body).status_code == 204

    assert post.effects() == 15


def test_the_reason_names_the_place_and_not_what_was_sent(post: Post, hotel: Hotel) -> None:
    post.push(event(hotel, data={"guest": "x", "stars": "Zarghuna"}))

    ((reason, message),) = post.letters()
    assert "/stars" in reason
    assert "Zarghuna" not in reason
    assert message["body"]


@pytest.mark.req("EVT-5", "AUD-1")
@pytest.mark.parametrize("form", FORMS)
def test_another_tenant_in_the_data_is_refused_and_noted(
    form: Any, post: Post, hotel: Hotel, capsys: pytest.CaptureFixture[str]
) -> None:
    told = event(hotel, data={"guest": "layla", "tenantId": str(uuid4())})

    assert post.send(*form(told)).status_code == 204

    ((reason, _),) = post.letters()
    assert reason.startswith("MELMASTOON.GENERAL.CROSS_TENANT_REFERENCE")
    assert post.effects() == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert any(line["severity"] == "CRITICAL" for line in lines)
    assert hotel.rows("SELECT reason FROM {s}.audit_entries WHERE actor LIKE 'system:%'") == [
        ["MELMASTOON.GENERAL.CROSS_TENANT_REFERENCE"]
    ]


def test_the_same_tenant_in_the_data_is_fine(post: Post, hotel: Hotel) -> None:
    told = event(hotel, data={"guest": "layla", "tenantId": str(hotel.tenant_id).upper()})

    assert post.push(told).status_code == 204
    assert (post.effects(), post.letters()) == (1, [])


@pytest.mark.req("TEN-2", "EVT-5")
@pytest.mark.parametrize("tenant", [None, 7, "", {"id": "x"}])
def test_a_tenant_that_is_none_is_another_one(tenant: Any, post: Post, hotel: Hotel) -> None:
    post.push(event(hotel, data={"guest": "layla", "tenantId": tenant}))

    assert post.effects() == 0
    assert len(post.letters()) == 1


@pytest.mark.req("SEC-6", "EVT-5")
@pytest.mark.parametrize(
    "body",
    [
        lambda told: wrapped({**told, "data": {"guest": "x", "stars": "y", "note": CARD}}),
        lambda told: wrapped({**told, "type": "other", "data": {"unknown": {"deep": [CARD]}}}),
        lambda told: wrapped(told, data=base64.b64encode(f"<card>{CARD}".encode()).decode()),
        lambda told: f'{{"message": "{CARD}'.encode(),
    ],
)
def test_a_dead_letter_keeps_no_card_number(body: Any, post: Post, hotel: Hotel) -> None:
    post.send(body(event(hotel)))

    ((_, message),) = post.letters()
    assert message == {"withheld": "card data"}


@pytest.mark.req("SEC-8", "EVT-5")
def test_logs_a_delivery_without_a_word_of_it(
    post: Post, hotel: Hotel, capsys: pytest.CaptureFixture[str]
) -> None:
    post.push(event(hotel, data={"guest": "Zarghuna"}))
    post.push(event(hotel, data={"guest": "Zarghuna", "stars": "Kakar"}))

    out = capsys.readouterr().out
    assert "Zarghuna" not in out
    assert "Kakar" not in out
    taken = json.loads(out.splitlines()[0])
    assert taken["route"] == f"events/{post.consumer.name}"
    assert taken["outcome"] == "ok"
    assert taken["tenantId"] == str(hotel.tenant_id)
    assert TYPE not in out
