"""What the processor has not signed just now, over exactly these bytes, is not read (WH-1)."""

import json
from collections.abc import Callable

import pytest

from tests.hotel import Hotel
from tests.security.answers import is_problem
from tests.webhooks import Webhook, captured, event, kept, paid_cents, signature

UNSIGNED = "MELMASTOON.BILLING.WEBHOOK_SIGNATURE_INVALID"
WRONG = "0" * 64
Make = Callable[[Webhook, bytes], str | None]

HEADERS: dict[str, Make] = {
    "none": lambda line, body: None,
    "empty": lambda line, body: "",
    "another secret": lambda line, body: line.signed(body, secret="whsec_another"),
    "no secret": lambda line, body: line.signed(body, secret=" "),
    "another body": lambda line, body: line.signed(body + b" "),
    "five minutes and a second ago": lambda line, body: line.signed(body, off_seconds=-301),
    "in five minutes and two seconds": lambda line, body: line.signed(body, off_seconds=302),
    "in ten years": lambda line, body: line.signed(body, off_seconds=315_360_000),
    "no time": lambda line, body: line.signed(body).split(",")[1],
    "no signature": lambda line, body: line.signed(body).split(",")[0],
    "only an older scheme": lambda line, body: line.signed(body).replace("v1=", "v0="),
    "two times": lambda line, body: f"t=1,{line.signed(body)}",
    "two times, the good one first": lambda line, body: f"{line.signed(body)},t=1",
    "digits with a line between": lambda line, body: line.signed(body).replace("t=17", "t=1_7"),
    "other digits": lambda line, body: line.signed(body).replace("t=1", "t=١"),
    "a sign": lambda line, body: line.signed(body).replace("t=", "t=+"),
    "blanks": lambda line, body: line.signed(body).replace(",", ", "),
    "upper case": lambda line, body: line.signed(body).replace("v1=", "V1="),
    "nine signatures": lambda line, body: line.signed(body) + f",v1={WRONG}" * 8,
    "two hundred thousand signatures": lambda line, body: (
        line.signed(body) + f",v1={WRONG}" * 200_000
    ),
    "a long header": lambda line, body: line.signed(body) + ",v0=" + "a" * 1024,
    "garbage": lambda line, body: "\xff\xfe=;,,,==",
    "something else besides": lambda line, body: line.signed(body) + ",x=1",
}


@pytest.mark.req("WH-1")
@pytest.mark.parametrize("kind", HEADERS)
def test_refuses_a_header_that_proves_nothing(hotel: Hotel, kind: str) -> None:
    """400, and nothing is stored."""
    line, folio = Webhook(hotel), hotel.open_folio()
    content = json.dumps(captured(hotel, folio, 5_000)).encode()

    answer = line.post(content, HEADERS[kind](line, content))

    is_problem(answer, 400, code=UNSIGNED)
    assert (kept(hotel), paid_cents(hotel, folio)) == ([], 0)


@pytest.mark.req("WH-1")
@pytest.mark.parametrize("off", [-290, 0, 290])
def test_takes_what_was_signed_within_five_minutes(hotel: Hotel, off: int) -> None:
    line = Webhook(hotel)
    content = json.dumps(captured(hotel, hotel.open_folio(), 5_000)).encode()

    assert line.post(content, line.signed(content, off_seconds=off)).status_code == 200


@pytest.mark.req("WH-1")
def test_a_body_that_was_changed_by_a_byte_is_refused_at_every_place(hotel: Hotel) -> None:
    line = Webhook(hotel)
    content = json.dumps(event("payout.paid", {"id": "po_1"})).encode()
    header = line.signed(content)
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1
        is_problem(line.post(bytes(changed), header), 400)


@pytest.mark.req("WH-1")
def test_either_of_two_secrets_will_do_while_one_is_being_changed(hotel: Hotel) -> None:
    """The processor signs with both; what is signed with one that is none is refused."""
    both = hotel.house.beside(stripe_webhook_secrets=("whsec_old", "whsec_new"))
    line = Webhook(Hotel(both, hotel.tenant_id, hotel.property_id))
    for secret in ("whsec_old", "whsec_new"):
        content = json.dumps(captured(hotel, hotel.open_folio(), 5_000)).encode()
        assert line.post(content, line.signed(content, secret=secret)).status_code == 200
        signed_at = line.now()
        two = f"t={signed_at},v1={WRONG},v1={signature(content, secret, signed_at)}"
        assert line.post(content, two).json["outcome"] == "duplicate"
        is_problem(line.post(content, line.signed(content, secret="whsec_older")), 400)
    both.close()


@pytest.mark.req("WH-1")
def test_without_a_secret_nothing_is_believed(hotel: Hotel) -> None:
    """Not even what is signed with the empty text."""
    from common.stripe.signature import SignatureCheck

    line = Webhook(hotel)
    for secrets in ((), ("",), (" ",)):
        check = SignatureCheck(secrets, hotel.house.wiring.clock.now)
        for secret in ("", " ", "whsec_x"):
            signed_at = line.now()
            header = f"t={signed_at},v1={signature(b'{}', secret, signed_at)}"
            assert check(b"{}", header) is False


BODIES: dict[str, tuple[bytes, int]] = {
    "not UTF-8": (b'{"id": "\xff"}', 400),
    "UTF-16": ('{"id": "evt"}'.encode("utf-16"), 400),
    "a byte order mark": (b'\xef\xbb\xbf{"id": "evt_1"}', 400),
    "no JSON": (b"<xml/>", 400),
    "nothing": (b"", 400),
    "a list": (b"[]", 400),
    "a key twice": (b'{"id": "evt_1", "id": "evt_2"}', 400),
    "no id": (b'{"type": "payout.paid"}', 400),
    "a number for an id": (b'{"id": 7, "type": "payout.paid"}', 400),
    "no type": (b'{"id": "evt_1"}', 400),
    "a type of words": (b'{"id": "evt_1", "type": "Drop everything"}', 400),
    "half a surrogate pair": (b'{"id": "\\ud800", "type": "payout.paid"}', 400),
    "an id with a NUL": (b'{"id": "evt\\u0000", "type": "payout.paid"}', 400),
    "too deep": (b'{"id":' * 100_000, 400),
    "too large": (b" " * (2**20 + 1), 413),
}


@pytest.mark.req("WH-1", "API-6")
@pytest.mark.parametrize("kind", BODIES)
def test_signed_garbage_is_refused_and_never_a_failure_of_ours(hotel: Hotel, kind: str) -> None:
    content, status = BODIES[kind]
    line = Webhook(hotel)

    is_problem(line.post(content, line.signed(content)), status)


@pytest.mark.req("WH-1", "API-6")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Type": ""}, 415),
    ],
    ids=["text", "gzip", "no type"],
)
def test_refuses_bytes_that_are_not_as_the_processor_sends_them(
    hotel: Hotel, headers: dict[str, str], status: int
) -> None:
    line = Webhook(hotel)
    content = json.dumps(event("payout.paid", {"id": "po_1"})).encode()

    is_problem(line.post(content, line.signed(content), **headers), status)


@pytest.mark.req("WH-1", "WH-4")
def test_an_object_of_another_form_than_its_type_says_is_refused_or_nobodys(hotel: Hotel) -> None:
    """Never a failure of ours: the processor would send it again for three days."""
    tenant = {"tenantId": str(hotel.tenant_id), "folioId": hotel.open_folio()}
    for kind in ("payment_intent.succeeded", "refund.updated", "charge.dispute.created"):
        for about in (
            {"id": "x_1", "metadata": tenant},
            {"id": "pi_1", "object": "payment_intent", "metadata": tenant},
            {"id": "pi_1", "object": "payment_intent", "amount_received": -1, "metadata": tenant},
            {"id": "x_1", "amount": 2**70, "currency": "usd", "metadata": tenant},
            {"id": "x_1", "status": "Something Else", "metadata": tenant},
            {"id": "x_1", "status": "lost", "payment_intent": "pi_none", "metadata": tenant},
            {"id": "x_1", "status": "succeeded", "metadata": {**tenant, "refundId": "rfd_1"}},
        ):
            answer = Webhook(hotel).send(event(kind, about))
            assert answer.status_code == 200, answer.text
    assert hotel.rows("SELECT id FROM {s}.payments") == []
