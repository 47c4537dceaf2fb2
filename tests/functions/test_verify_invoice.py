"""Verifying a document: ours and unchanged, told to anybody, with nothing personal (INV-8)."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.hotel import Hotel, House, new_id
from tests.proofs import GENERAL, assert_refused, state
from tests.together import at_once

UNKNOWN = {
    "valid": False,
    "signature": "broken",
    "status": "",
    "number": "",
    "date": None,
    "issuer": "",
    "language": "",
}


def _ask(hotel: Hotel, invoice_id: str, digest: str, **more: Any) -> TestResponse:
    """Ask as a stranger does: no token, an address of one's own."""
    headers = {"X-Forwarded-For": f"{uuid4()}, 10.0.0.1", **more.pop("headers", {})}
    query = {"tenant": str(hotel.tenant_id), "hash": digest, **more}
    return hotel.get(f"/invoices/{invoice_id}/verify", token=None, headers=headers, **query)


def _upload(hotel: Hotel, pdf: bytes, **more: Any) -> TestResponse:
    headers = {
        "X-Forwarded-For": f"{uuid4()}, 10.0.0.1",
        "Content-Type": "application/pdf",
        **more.pop("headers", {}),
    }
    tenant = more.pop("tenant", str(hotel.tenant_id))
    return hotel.call(
        "POST", "/invoices/verify", pdf, token=None, key=None, headers=headers, tenant=tenant
    )


@pytest.fixture
def issued(hotel: Hotel) -> tuple[str, str, bytes]:
    """A signed and drawn invoice: its id, its payload's hash, its PDF."""
    _, invoice_id = hotel.closed_folio(guest={"name": "Zarmina Ahmadi", "taxId": "T-4711"})
    assert hotel.render(invoice_id).status_code == 204
    digest = hotel.get(f"/invoices/{invoice_id}").json["payloadSha256"]
    ((name,),) = hotel.rows("SELECT object_name FROM {s}.invoice_renditions")
    return invoice_id, digest, hotel.house.wiring.documents.get(hotel.tenant_id, name)


@pytest.mark.req("INV-8")
def test_says_that_a_document_is_genuine(hotel: Hotel, issued: tuple[str, str, bytes]) -> None:
    invoice_id, digest, pdf = issued
    shown = hotel.get(f"/invoices/{invoice_id}").json
    before = state(hotel)

    answers = [_ask(hotel, invoice_id, digest), _upload(hotel, pdf)]

    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert answer.json == {
            "valid": True,
            "signature": "valid",
            "status": "issued",
            "number": shown["number"],
            "date": shown["businessDate"],
            "issuer": "Hotel Kabul",
            "language": "en",
        }
        for secret in ("Zarmina", "T-4711", "110", shown["folioId"]):
            assert secret not in answer.text
    assert state(hotel) == before


@pytest.mark.req("INV-8")
def test_finds_one_changed_byte_of_hash_or_file(
    hotel: Hotel, issued: tuple[str, str, bytes]
) -> None:
    invoice_id, digest, pdf = issued
    flipped = f"{int(digest[:1], 16) ^ 1:x}{digest[1:]}"
    places = (0, len(pdf) // 2, len(pdf) - 1)

    answers = [_ask(hotel, invoice_id, flipped)]
    for place in places:
        changed = pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]
        answers.append(_upload(hotel, changed))
    answers.append(_upload(hotel, pdf + b"\n"))

    for answer in answers:
        assert (answer.status_code, answer.json) == (200, UNKNOWN)


@pytest.mark.req("INV-8", "INV-3")
@pytest.mark.parametrize(
    ("table", "change", "says"),
    [
        ("invoices", "payload = replace(payload, 'Night', 'Might')", "broken"),
        ("invoices", "payload_sha256 = sha256('x')", "broken"),
        ("invoices", "number = replace(number, '000001', '000002')", "broken"),
        ("invoices", "business_date = business_date + 1", "broken"),
        (
            "invoice_signatures",
            "signature = set_byte(signature, 40, get_byte(signature, 40) # 1)",
            "broken",
        ),
        ("invoice_signatures", "key_version = replace(key_version, '/1', '/7')", "unknown_key"),
    ],
)
def test_finds_what_was_changed_behind_the_services_back(
    hotel: Hotel, issued: tuple[str, str, bytes], table: str, change: str, says: str
) -> None:
    """What the database's owner changes is no longer what was signed."""
    invoice_id, digest, pdf = issued
    hotel.rows(f"UPDATE {{s}}.{table} SET {change}")

    for answer in (_ask(hotel, invoice_id, digest), _upload(hotel, pdf)):
        assert answer.json["valid"] is False
        assert answer.json["signature"] == says


@pytest.mark.req("INV-8", "INV-3")
def test_a_payload_with_its_hash_changed_along_bears_no_valid_signature(
    hotel: Hotel, issued: tuple[str, str, bytes]
) -> None:
    """Whoever writes both cannot sign them."""
    invoice_id, _, pdf = issued
    hotel.rows("UPDATE {s}.invoices SET payload = replace(payload, 'Night', 'Might')")
    hotel.rows("UPDATE {s}.invoices SET payload_sha256 = sha256(convert_to(payload, 'UTF8'))")
    forged = hotel.get(f"/invoices/{invoice_id}").json["payloadSha256"]

    for answer in (_ask(hotel, invoice_id, forged), _upload(hotel, pdf)):
        assert (answer.json["valid"], answer.json["signature"]) == (False, "broken")


@pytest.mark.req("INV-8")
def test_answers_what_it_does_not_know_like_what_was_changed(
    house: House, hotel: Hotel, issued: tuple[str, str, bytes]
) -> None:
    """An unknown id, an unknown tenant, a hotel that has issued nothing, another file."""
    invoice_id, digest, pdf = issued
    neighbour = house.new_hotel()

    answers = [
        _ask(hotel, new_id("inv"), digest),
        _ask(hotel, invoice_id, digest, tenant=str(uuid4())),
        _ask(neighbour, invoice_id, digest),
        _upload(hotel, b"%PDF-1.7 of somebody else"),
        _upload(hotel, pdf, tenant=str(uuid4())),
        _upload(neighbour, pdf),
        _upload(hotel, b""),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json) == (200, UNKNOWN)


@pytest.mark.req("INV-8", "INV-6")
def test_calls_a_document_that_is_not_signed_yet_neither_genuine_nor_changed(
    hotel: Hotel,
) -> None:
    _, invoice_id = hotel.closed_folio()
    shown = hotel.get(f"/invoices/{invoice_id}").json

    answer = _ask(hotel, invoice_id, shown["payloadSha256"])

    assert (answer.json["valid"], answer.json["signature"]) == (False, "pending")
    assert answer.json["number"] == shown["number"]


@pytest.mark.req("INV-3", "INV-8")
def test_a_rotated_key_breaks_nothing_that_was_signed_before(
    hotel: Hotel, issued: tuple[str, str, bytes]
) -> None:
    invoice_id, digest, _ = issued
    hotel.house.wiring.keys.rotate(hotel.tenant_id)  # type: ignore[attr-defined]
    _, later = hotel.closed_folio()
    hotel.render(later)
    versions = hotel.rows("SELECT DISTINCT key_version FROM {s}.invoice_signatures")

    answers = [
        _ask(hotel, invoice_id, digest),
        _ask(hotel, later, hotel.get(f"/invoices/{later}").json["payloadSha256"]),
    ]

    assert len(versions) == 2
    assert [answer.json["valid"] for answer in answers] == [True, True]


@pytest.mark.req("GDPR-1", "INV-3", "INV-8")
def test_a_person_can_be_erased_and_everything_still_verifies(
    hotel: Hotel, issued: tuple[str, str, bytes]
) -> None:
    """Hash, signature and page hold; her name is gone, and a copy is drawn without it."""
    invoice_id, digest, _ = issued

    hotel.rows("UPDATE {s}.invoice_persons SET salt = NULL, document = NULL, erased_at = now()")

    answer = _ask(hotel, invoice_id, digest)
    assert (answer.json["valid"], answer.json["signature"]) == (True, "valid")
    shown = hotel.get(f"/invoices/{invoice_id}")
    assert shown.json["customer"] is None
    assert shown.json["payloadSha256"] == digest
    assert "Zarmina" not in shown.text
    again = hotel.post(f"/invoices/{invoice_id}/regenerate")
    assert (again.json["copyNumber"], again.json["error"]) == (1, None)


@pytest.mark.req("INV-8", "INV-3")
def test_names_the_issuer_as_the_paper_does(hotel: Hotel, issued: tuple[str, str, bytes]) -> None:
    """The hotel was sold and renamed; the invoice was issued under the old name."""
    invoice_id, digest, _ = issued
    hotel.write_settings(issuer={"name": "Grand Hotel", "country": "AF"})

    assert _ask(hotel, invoice_id, digest).json["issuer"] == "Hotel Kabul"


@pytest.mark.req("INV-8")
def test_shows_a_page_to_a_browser(hotel: Hotel, issued: tuple[str, str, bytes]) -> None:
    invoice_id, digest, _ = issued
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

    genuine = _ask(hotel, invoice_id, digest, headers=browser)
    unknown = _ask(hotel, new_id("inv"), digest, headers=browser)
    nowhere = _ask(hotel, invoice_id, digest, headers=browser, tenant=str(uuid4()))

    for answer in (genuine, unknown, nowhere):
        assert (answer.status_code, answer.mimetype) == (200, "text/html")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Zarmina" not in answer.text
    assert "This document is genuine" in genuine.text
    assert "Hotel Kabul" in genuine.text
    assert unknown.data == nowhere.data
    assert "This document is genuine" not in unknown.text


@pytest.mark.req("INV-8", "API-6")
@pytest.mark.parametrize(
    ("more", "pointer"),
    [({"hash": "0" * 63}, "/hash"), ({"hash": "G" * 64}, "/hash"), ({"tenant": "7"}, "/tenant")],
)
def test_refuses_what_is_no_question(hotel: Hotel, more: dict[str, str], pointer: str) -> None:
    answer = _ask(hotel, new_id("inv"), more.pop("hash", "0" * 64), **more)

    assert_refused(answer, 400, GENERAL + "VALIDATION_FAILED")
    assert answer.json["errors"][0]["pointer"] == pointer


@pytest.mark.req("INV-8", "API-6")
def test_takes_pdf_files_up_to_8_mib(hotel: Hotel) -> None:
    too_large = _upload(hotel, b"%PDF" + bytes(8 * 2**20))
    no_pdf = _upload(hotel, b"{}", headers={"Content-Type": "application/json"})

    assert_refused(too_large, 413, GENERAL + "BODY_TOO_LARGE")
    assert_refused(no_pdf, 415, GENERAL + "CONTENT_TYPE_UNSUPPORTED")


@pytest.mark.req("INV-8", "SEC-7")
def test_answers_many_at_once_and_not_one_address_for_ever(
    hotel: Hotel, issued: tuple[str, str, bytes]
) -> None:
    """60 a minute from one address, so at most 120 of 130 in the two minutes they may touch."""
    invoice_id, digest, _ = issued
    one = {"X-Forwarded-For": f"{uuid4()}, 10.0.0.1"}

    at_once([partial(_ask, hotel, invoice_id, digest)] * 8)
    answers = [_ask(hotel, invoice_id, digest, headers=one) for _ in range(130)]

    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) >= 10
    assert_refused(refused[0], 429, GENERAL + "RATE_LIMITED")
    assert _ask(hotel, invoice_id, digest).json["valid"] is True


@pytest.mark.req("SEC-7")
def test_counts_the_address_that_the_load_balancer_saw_and_not_an_invented_one(
    hotel: Hotel, issued: tuple[str, str, bytes]
) -> None:
    """The balancer adds whom it saw, and itself, behind whatever the caller has sent."""
    invoice_id, digest, _ = issued
    seen, invented = f"seen-{uuid4()}", [f"invented-{uuid4()}" for _ in range(3)]

    for each in invented:
        header = {"X-Forwarded-For": f"{each}, {seen}, 10.0.0.1"}
        assert _ask(hotel, invoice_id, digest, headers=header).status_code == 200

    counted = "SELECT count(DISTINCT bucket) FROM billing_central.rate_counters"
    by_name = f"{counted} WHERE strpos(bucket, :name) > 0"
    assert hotel.house.sql(by_name, name=seen) == [[1]]
    assert [hotel.house.sql(by_name, name=each) for each in invented] == [[[0]]] * 3
