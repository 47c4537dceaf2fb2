"""Crediting lines of an invoice: at their own rates, and never beyond what they came to (INV-2)."""

import json
from functools import partial
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from functions.credit_notes.issue_credit_note import issue_credit_note
from tests.crediting import approval, credits, lines_of, request_of, voids
from tests.hotel import Hotel, House, charge, new_id, usd
from tests.proofs import (
    assert_books_are_right,
    assert_nothing_personal,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once
from tests.trust.books import broken

EUROS = {"amountMicro": 1_000_000, "currency": "EUR"}


def an_invoice(hotel: Hotel, *cents: int) -> tuple[str, list[str]]:
    """An invoice over charges of so many cents and their 10 %, paid; and its lines."""
    folio = hotel.open_folio(guest={"name": "Zarmina Noor"})
    for each in cents or (10_000,):
        hotel.charged(folio, cents=each)
    hotel.paid(folio, hotel.get(f"/folios/{folio}").json["balance"])
    invoice = hotel.post(f"/folios/{folio}/close").json["invoiceId"]
    return invoice, [line["lineId"] for line in lines_of(hotel, invoice)]


def booked(hotel: Hotel) -> list[list[Any]]:
    """What credit notes have booked: from which account, and how much, in cents."""
    return hotel.rows(
        "SELECT debit_account, credit_account, sum(amount_micro)::bigint / 10000"
        " FROM {s}.ledger_entries WHERE starts_with(source, 'cn_') GROUP BY 1, 2 ORDER BY 1"
    )


@pytest.mark.req("INV-2", "MON-3", "MON-6")
def test_takes_a_part_back_at_the_rates_of_the_line(hotel: Hotel) -> None:
    """10.00 of 100.00 + 10.00: 9.0909 and 0.9091, so 9.09 and 0.91, the cent to the larger rest."""
    invoice, (line,) = an_invoice(hotel)

    answer = credits(hotel, invoice, (line, usd(1_000)))

    assert answer.status_code == 201, answer.text
    shown = answer.json
    assert (shown["total"], shown["left"]) == (usd(1_000), usd(10_000))
    assert shown["invoiceStatus"] == "credited"
    assert shown["number"].startswith("CN-AF-KBL-")
    (row,) = lines_of(hotel, shown["creditNoteId"])
    assert (row["lineId"], row["netMicro"], row["taxMicro"]) == (line, 9_090_000, 910_000)
    assert booked(hotel) == [
        ["revenue:room", "credit_notes_payable", 909],
        ["tax_payable:VAT", "credit_notes_payable", 91],
    ]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("INV-2", "MON-3")
def test_pieces_of_a_line_come_to_the_whole_line(hotel: Hotel) -> None:
    """0.05 is 0.05 and nothing, twice; the rest, 109.90, is 99.90 and 10.00, and not 99.91."""
    invoice, (line,) = an_invoice(hotel)

    for cents in (5, 5, 10_990):
        answer = credits(hotel, invoice, (line, usd(cents)))
        assert answer.status_code == 201, answer.text

    assert answer.json["invoiceStatus"] == "voided"
    assert booked(hotel) == [
        ["revenue:room", "credit_notes_payable", 10_000],
        ["tax_payable:VAT", "credit_notes_payable", 1_000],
    ]
    assert broken(hotel) == []


@pytest.mark.req("INV-1", "INV-2", "INV-3")
def test_the_document_names_its_invoice_and_stands_in_its_own_chain(hotel: Hotel) -> None:
    invoice, lines = an_invoice(hotel, 10_000, 5_000)

    notes = [credits(hotel, invoice, (line, usd(100))).json for line in lines]

    payloads = [
        json.loads(row[0])
        for row in hotel.rows(
            "SELECT payload FROM {s}.invoices WHERE document_type = 'credit_note' ORDER BY id"
        )
    ]
    corrected = hotel.get(f"/invoices/{invoice}").json
    assert [each["series"]["sequence"] for each in payloads] == [1, 2]
    assert [each["previousDocumentSha256"] for each in payloads] == [
        None,
        notes[0]["payloadSha256"],
    ]
    assert {each["invoice"]["payloadSha256"] for each in payloads} == {corrected["payloadSha256"]}
    assert {each["customer"]["commitment"] for each in payloads} == {
        corrected["payload"]["customer"]["commitment"]
    }
    assert corrected["status"] == "credited"


@pytest.mark.req("EVT-2", "SEC-4", "SEC-8")
def test_tells_of_the_document_and_writes_down_who_confirmed_it(hotel: Hotel) -> None:
    """Why is in the audit trail, and nowhere else."""
    invoice, (line,) = an_invoice(hotel)

    credits(hotel, invoice, (line, usd(1_000)))

    assert told(hotel)[-1] == "credit_note.issued"
    data = hotel.events("credit_note.issued")[0]["data"]
    assert (data["invoiceId"], data["total"]) == (invoice, usd(1_000))
    assert data["lines"] == [{"lineId": line, "net": usd(909), "gross": usd(1_000)}]
    (entry,) = trail(hotel, "credit_note.issued")
    kept = hotel.rows("SELECT issued_by, step_up_token_id, assertion_hash FROM {s}.credit_notes")
    assert kept == [["mariam", entry["step_up_token_id"], entry["assertion_hash"]]]
    assert entry["reason"] == "The heating was cold"
    assert_nothing_personal(hotel, "Zarmina Noor")
    assert "heating" not in json.dumps(hotel.events())


REFUSALS: list[tuple[str, int, int | dict[str, Any]]] = [
    ("CREDIT_EXCEEDS_INVOICE", 422, 11_001),
    ("CREDIT_EXCEEDS_INVOICE", 422, -1),
    ("AMOUNT_NOT_POSITIVE", 422, 0),
    ("AMOUNT_NOT_IN_MINOR_UNITS", 422, {"amountMicro": 1, "currency": "USD"}),
    ("CURRENCY_MISMATCH", 422, EUROS),
]


@pytest.mark.req("INV-2", "MON-2", "MON-4")
@pytest.mark.parametrize(("code", "status", "amount"), REFUSALS)
def test_refuses_an_amount_and_changes_nothing(
    hotel: Hotel, code: str, status: int, amount: int | dict[str, Any]
) -> None:
    invoice, (line,) = an_invoice(hotel)
    before = state(hotel, without=("audit_entries",))

    answer = credits(hotel, invoice, (line, usd(amount) if isinstance(amount, int) else amount))

    assert_refused(answer, status, code)
    assert state(hotel, without=("audit_entries",)) == before


@pytest.mark.req("INV-2")
def test_refuses_more_than_earlier_credits_have_left(hotel: Hotel) -> None:
    """Also when the line is named twice: it is asked for both."""
    invoice, (line, _) = an_invoice(hotel, 10_000, 10_000)
    assert credits(hotel, invoice, (line, usd(6_000))).status_code == 201

    again = credits(hotel, invoice, (line, usd(6_000)))
    twice = credits(hotel, invoice, (line, usd(3_000)), (line, usd(3_000)))
    rest = credits(hotel, invoice, (line, usd(2_500)), (line, usd(2_500)))

    assert_refused(again, 422, "CREDIT_EXCEEDS_INVOICE")
    assert_refused(twice, 422, "CREDIT_EXCEEDS_INVOICE")
    assert rest.status_code == 201, rest.text
    assert broken(hotel) == []


@pytest.mark.req("INV-2")
def test_a_discount_is_not_given_back_twice(hotel: Hotel) -> None:
    """100.00 less 40.00, with 10 %: 66.00 were asked for, so of the 110.00 only 66.00 come back."""
    folio = hotel.open_folio()
    charged = hotel.charged(folio)
    less = {"chargeId": charged, "amount": usd(-4_000), "description": "less", "reason": "noise"}
    assert hotel.post(f"/folios/{folio}/adjustments", less).status_code == 201
    hotel.paid(folio, usd(6_600))
    invoice = hotel.post(f"/folios/{folio}/close").json["invoiceId"]

    too_much = credits(hotel, invoice, (charged, usd(6_601)))
    discount = credits(hotel, invoice, (lines_of(hotel, invoice)[1]["lineId"], usd(-1)))
    all_of_it = credits(hotel, invoice, (charged, usd(6_600)))

    assert_refused(too_much, 422, "CREDIT_EXCEEDS_INVOICE")
    assert_refused(discount, 422, "AMOUNT_NOT_POSITIVE")
    assert all_of_it.json["left"] == usd(0)
    assert voids(hotel, invoice).json["total"] == usd(0)
    assert broken(hotel) == []


@pytest.mark.req("INV-2", "SEC-3")
def test_refuses_what_is_not_on_the_invoice_or_not_there(hotel: Hotel, house: House) -> None:
    invoice, (line,) = an_invoice(hotel)
    _, (foreign,) = an_invoice(hotel)
    elsewhere, (their_line,) = an_invoice(house.new_hotel())
    before = state(hotel)

    assert_refused(credits(hotel, invoice, (foreign, usd(1))), 422, "LINE_NOT_INVOICED")
    assert_refused(credits(hotel, new_id("inv"), (line, usd(1))), 404, "INVOICE_UNKNOWN")
    assert_refused(credits(hotel, elsewhere, (their_line, usd(1))), 404, "INVOICE_UNKNOWN")
    others = hotel.token(sub="mariam", property_ids=[])
    unseen = hotel.post("/credit-notes", request_of(hotel, invoice, (line, usd(1))), token=others)
    assert_refused(unseen, 404, "INVOICE_UNKNOWN")
    assert state(hotel) == before


@pytest.mark.req("SEC-4")
def test_refuses_a_confirmation_of_another_amount_line_or_person(hotel: Hotel) -> None:
    invoice, (line, other) = an_invoice(hotel, 10_000, 10_000)
    before = state(hotel, without=("audit_entries",))
    asked = partial(request_of, hotel, invoice, (line, usd(1_000)))

    for confirmed, code in (
        (approval(hotel, invoice, (line, usd(1_001))), "STEP_UP_CONTEXT"),
        (approval(hotel, invoice, (other, usd(1_000))), "STEP_UP_CONTEXT"),
        (approval(hotel, invoice, (line, usd(1_000)), sub="karim"), "STEP_UP_ACTOR"),
    ):
        body = asked(confirmed=confirmed)
        answer = hotel.post("/credit-notes", body, token=hotel.token(sub="mariam"))
        assert_refused(answer, 403, f"MELMASTOON.IAM.{code}")
    assert state(hotel, without=("audit_entries",)) == before
    assert credits(hotel, invoice, (line, usd(1_000))).status_code == 201


@pytest.mark.req("SEC-4")
def test_a_confirmation_credits_once(hotel: Hotel) -> None:
    invoice, (line,) = an_invoice(hotel)
    body, mariam = request_of(hotel, invoice, (line, usd(1_000))), hotel.token(sub="mariam")

    first = hotel.post("/credit-notes", body, token=mariam)
    second = hotel.post("/credit-notes", body, token=mariam)

    assert first.status_code == 201
    assert_refused(second, 403, "MELMASTOON.IAM.STEP_UP_REPLAY")
    assert hotel.get("/credit-notes").json["items"] == [
        {key: first.json[key] for key in hotel.get("/credit-notes").json["items"][0]}
    ]


@pytest.mark.req("API-4")
def test_the_same_again_gets_the_same_answer_and_no_second_credit(hotel: Hotel) -> None:
    invoice, (line,) = an_invoice(hotel)
    body, mariam = request_of(hotel, invoice, (line, usd(1_000))), hotel.token(sub="mariam")

    first, again = (hotel.post("/credit-notes", body, token=mariam, key="once") for _ in range(2))

    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.data) == (201, first.data)
    assert hotel.rows("SELECT count(*) FROM {s}.credit_notes") == [[1]]


@pytest.mark.req("INV-1", "INV-2")
def test_of_many_at_once_as_many_succeed_as_the_line_holds(hotel: Hotel) -> None:
    """Twelve credits of 20.00 on 110.00: five, whoever comes first, numbered 1 to 5."""
    invoice, (line,) = an_invoice(hotel)

    answers = at_once([partial(credits, hotel, invoice, (line, usd(2_000))) for _ in range(12)])

    won = [answer.json for answer in answers if answer.status_code == 201]
    lost = [answer for answer in answers if answer.status_code != 201]
    assert len(won) == 5
    for answer in lost:
        assert_refused(answer, 422, "CREDIT_EXCEEDS_INVOICE")
    assert sorted(int(note["number"].rsplit("-", 1)[1]) for note in won) == [1, 2, 3, 4, 5]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("INV-2")
@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("gross_micro = invoiced_micro + 1", "credits_stay_within_the_line"),
        ("gross_micro = -gross_micro", "credit_goes_the_way_of_its_line"),
        ("before_micro = 0, gross_micro = 1", "credits_of_a_line_follow_one_another"),
    ],
)
def test_the_database_refuses_by_itself(hotel: Hotel, change: str, constraint: str) -> None:
    """The second guard, past the code: a further row for the same line."""
    invoice, (line,) = an_invoice(hotel)
    credits(hotel, invoice, (line, usd(1_000)))
    credits(hotel, invoice, (line, usd(1_000)))

    with pytest.raises(Exception, match=constraint):
        hotel.rows(f"UPDATE {{s}}.credit_note_lines SET {change} WHERE before_micro > 0")


def test_declares_what_it_refuses() -> None:
    declared = {refusal.code for refusal in declaration_of(issue_credit_note).refusals}

    assert declared == {
        "INVOICE_UNKNOWN",
        "INVOICE_VOIDED",
        "LINE_NOT_INVOICED",
        "FOLIO_OPEN_AGAIN",
        "LINE_CORRECTED",
        "CREDIT_EXCEEDS_INVOICE",
        "AMOUNT_NOT_POSITIVE",
        "CURRENCY_MISMATCH",
        "AMOUNT_NOT_IN_MINOR_UNITS",
    }


@pytest.mark.req("INV-2")
def test_a_closed_folio_stays_closed_and_balanced(hotel: Hotel) -> None:
    invoice, (line,) = an_invoice(hotel)
    folio = hotel.get(f"/invoices/{invoice}").json["folioId"]
    credits(hotel, invoice, (line, usd(1_000)))

    late = hotel.post(f"/folios/{folio}/charges", charge())

    assert_refused(late, 409, "FOLIO_CLOSED")
    assert hotel.get(f"/folios/{folio}").json["balance"] == usd(0)
