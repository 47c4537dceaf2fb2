"""What stands on a folio in credit moves to another one: both are right, or as they were."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.transfer_deposit import transfer_deposit
from tests.depositing import ahead, ledger, move, paid_ahead, path, wanted
from tests.hotel import Hotel, House, new_id, usd
from tests.moving import balances, cents, lines_of
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    told,
    trail,
)
from tests.refunding import refund
from tests.together import at_once, meanwhile
from tests.trust.books import broken

pytestmark = pytest.mark.req("PAY-4", "FOL-11")

BOTH = ("guest_ledger", "guest_deposits")
REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("FOLIO_UNKNOWN", 404, {"toFolioId": new_id("fol")}),
    ("FOLIO_UNKNOWN", 404, {"leaves": new_id("fol")}),
    ("TRANSFER_SAME_FOLIO", 422, {}),
    ("TRANSFER_CROSS_PROPERTY", 422, {}),
    ("CURRENCY_MISMATCH", 422, {}),
    ("CURRENCY_MISMATCH", 422, {"amount": {"amountMicro": 10_000, "currency": "EUR"}}),
    ("FOLIO_CLOSED", 409, {}),
    ("FOLIO_CLOSED", 409, {"leaves": "closed"}),
    ("AMOUNT_NOT_POSITIVE", 422, {"amount": usd(0)}),
    ("AMOUNT_NOT_POSITIVE", 422, {"amount": usd(-1)}),
    ("AMOUNT_NOT_IN_MINOR_UNITS", 422, {"amount": {"amountMicro": 1, "currency": "USD"}}),
    ("TRANSFER_EXCEEDS_CREDIT", 409, {"amount": usd(10_001)}),
    ("PAN_DETECTED", 422, {"reason": "Card 4111 1111 1111 1111"}),
    ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {"reason": ""}),
    ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {"id": new_id("pay")}),
    ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {"amount": None}),
]


@pytest.fixture
def hers(hotel: Hotel) -> str:
    return paid_ahead(hotel, 10_000)


@pytest.fixture
def his(hotel: Hotel) -> str:
    return hotel.open_folio()


@pytest.mark.req("FOL-7")
def test_moves_what_was_paid_ahead_to_a_folio_that_owes(hotel: Hotel, hers: str, his: str) -> None:
    """Hers: 100.00 ahead. His: a room of 50.00 and 5.00. Of 60.00 that move 55.00 are taken up at
    once, and 5.00 are ahead there; 40.00 are left ahead here."""
    hotel.charged(his, cents=5_000)
    body = wanted(his, 6_000)

    answer = hotel.post(path(hers), body)

    assert answer.status_code == 201, answer.text
    left, reached = answer.json["lines"], answer.json["target"]["lines"]
    assert (cents(left), cents(reached)) == (
        [("deposit_transfer", 6_000)],
        [("deposit_transfer", -6_000)],
    )
    assert (left[0]["lineId"], reached[0]["movedFrom"]) == (body["id"], body["id"])
    assert {line["reason"] for line in (*left, *reached)} == {"One room less"}
    assert (answer.json["balance"], answer.json["target"]["balance"]) == (usd(-4_000), usd(-500))
    assert lines_of(hotel, hers)[-1:] == left
    assert ahead(hotel, hers, his) == [4_000, 500]
    assert ledger(hotel, *BOTH, "deposits_in_transit", "bank_clearing") == [0, -4_500, 0, 10_000]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CLO-1")
def test_a_folio_whose_deposit_has_moved_closes_and_both_invoices_say_so(
    hotel: Hotel, hers: str, his: str
) -> None:
    """Hers is emptied and closes at nothing; his, a room of 90.91 and 9.09, is paid by it."""
    hotel.charged(his, cents=9_091)
    assert move(hotel, hers, his, 10_000).status_code == 201

    closed = [hotel.post(f"/folios/{folio}/close") for folio in (hers, his)]

    assert [answer.status_code for answer in closed] == [200, 200]
    paid = [
        hotel.get(f"/invoices/{answer.json['invoiceId']}").json["payload"]["payments"]
        for answer in closed
    ]
    assert [[(row["method"], row["amountMicro"]) for row in rows] for rows in paid] == [
        [("bank_transfer", 100_000_000), ("deposit_transfer", -100_000_000)],
        [("deposit_transfer", 100_000_000)],
    ]
    assert [answer.json["settlement"]["payments"] for answer in closed] == [usd(0), usd(10_000)]
    assert broken(hotel) == []


def test_a_statement_says_what_was_moved(hotel: Hotel, hers: str, his: str) -> None:
    move(hotel, hers, his, 4_000)

    here, there = (hotel.get(f"/folios/{folio}/statement").json for folio in (hers, his))

    assert (here["paid"], here["moved"], here["refunded"]) == (usd(10_000), usd(4_000), usd(0))
    assert (there["paid"], there["moved"], there["balance"]) == (usd(0), usd(-4_000), usd(-4_000))
    page = hotel.get(f"/folios/{hers}/statement", headers={"Accept": "text/html"})
    assert "Moved to other accounts" in page.text
    assert "Deposit moved" in page.text


@pytest.mark.req("REF-1")
def test_what_was_moved_is_refunded_after_it_was_moved_back(
    hotel: Hotel, hers: str, his: str
) -> None:
    """100.00 were paid, 60.00 of it moved: 40.00 could be given back here, and not 40.01."""
    (payment,) = (line["lineId"] for line in lines_of(hotel, hers))
    move(hotel, hers, his, 6_000)

    refused = refund(hotel, hers, payment, usd(4_001))
    there = refund(hotel, his, payment, usd(100))
    given = refund(hotel, hers, payment, usd(4_000))
    back = move(hotel, his, hers, 6_000)
    rest = refund(hotel, hers, payment, usd(6_000))

    assert_refused(refused, 409, "REFUND_OF_MOVED_MONEY")
    assert refused.json["leftMicro"] == 40_000_000
    assert_refused(there, 404, "PAYMENT_UNKNOWN")
    assert [answer.status_code for answer in (given, back, rest)] == [201, 201, 201]
    assert balances(hotel, hers, his) == [0, 0]
    assert ledger(hotel, *BOTH, "bank_clearing") == [0, 0, 0]
    assert broken(hotel) == []


@pytest.mark.req("REF-1")
def test_a_payment_whose_money_was_spent_elsewhere_is_not_given_back(
    hotel: Hotel, hers: str, his: str
) -> None:
    """His 20.00 and her 100.00 are moved on together: neither payment is there any more."""
    own = hotel.paid(his, usd(2_000), allowCredit=True)
    third = hotel.open_folio()
    move(hotel, hers, his, 10_000)
    move(hotel, his, third, 12_000)

    assert_refused(refund(hotel, his, own, usd(1)), 409, "REFUND_OF_MOVED_MONEY")

    assert ahead(hotel, hers, his, third) == [0, 0, 12_000]
    assert broken(hotel) == []


def test_moves_no_more_than_what_is_in_credit_when_charges_have_taken_of_it(
    hotel: Hotel, hers: str, his: str
) -> None:
    """100.00 less a room of 50.00 and 5.00: 45.00 may move."""
    hotel.charged(hers, cents=5_000)

    refused = move(hotel, hers, his, 4_501)

    assert_refused(refused, 409, "TRANSFER_EXCEEDS_CREDIT")
    assert refused.json["creditMicro"] == 45_000_000
    assert move(hotel, hers, his, 4_500).status_code == 201
    assert balances(hotel, hers, his) == [0, -4_500]


def _prepared(hotel: Hotel, code: str, changes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path and the body of what is refused by a code."""
    leaves, asked = changes.get("leaves"), {k: v for k, v in changes.items() if k != "leaves"}
    if code == "TRANSFER_CROSS_PROPERTY":
        (first,) = hotel.settings()["properties"]
        second = {**first, "id": str(uuid4()), "code": "HRT"}
        hotel.write_settings(properties=[first, second])
        other = _at(hotel, second)
    elif code == "CURRENCY_MISMATCH" and not asked:
        other = hotel.open_folio(currency="EUR")
    else:
        other = hotel.open_folio()
    folio = hotel.open_folio() if leaves == "closed" else paid_ahead(hotel, 10_000)
    if code == "FOLIO_CLOSED":
        assert hotel.post(f"/folios/{folio if leaves else other}/close").status_code == 200
    to = folio if code == "TRANSFER_SAME_FOLIO" else other
    body = {**wanted(to, 5_000), **asked}
    return path(leaves if leaves and leaves != "closed" else folio), body


def _at(hotel: Hotel, house: dict[str, Any]) -> str:
    body = {"propertyId": house["id"], "guest": {"name": "B. Guest"}}
    token = hotel.token(property_ids=[house["id"]])
    folio: str = hotel.post("/folios", body, token=token).json["folioId"]
    return folio


@pytest.mark.req("API-3")
@pytest.mark.parametrize(
    ("code", "status", "changes"), REFUSALS, ids=[f"{n}-{code}" for n, (code, *_) in
                                                  enumerate(REFUSALS)]
)  # fmt: skip
def test_refuses_and_changes_nothing(
    hotel: Hotel, code: str, status: int, changes: dict[str, Any]
) -> None:
    where, body = _prepared(hotel, code, changes)
    before = state(hotel)

    properties = [row[0] for row in hotel.rows("SELECT DISTINCT property_id FROM {s}.folios")]
    answer = hotel.post(where, body, token=hotel.token(property_ids=properties))

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(transfer_deposit).refusals}

    assert declared <= {code for code, *_ in REFUSALS}


@pytest.mark.req("API-4")
def test_answers_a_retry_with_the_first_answer_and_one_effect(
    hotel: Hotel, hers: str, his: str
) -> None:
    asked = wanted(his, 4_000)

    assert_answers_once(hotel, path(hers), asked, {**asked, "reason": "Another"})


@pytest.mark.req("API-4")
def test_an_id_is_used_once_whatever_the_key(hotel: Hotel, hers: str, his: str) -> None:
    asked = wanted(his, 4_000)
    first = hotel.post(path(hers), asked)
    before = state(hotel)

    again = hotel.post(path(hers), asked)
    other = hotel.post(path(hers), {**asked, "amount": usd(1_000)})

    assert (again.status_code, again.data) == (201, first.data)
    assert_refused(other, 409, "MELMASTOON.GENERAL.ID_CONFLICT")
    assert state(hotel) == before


def test_moves_it_once_when_several_clerks_try_at_once(hotel: Hotel, hers: str, his: str) -> None:
    third = hotel.open_folio()

    answers = at_once([partial(move, hotel, hers, to, 10_000) for to in (his, third) * 3])

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert ahead(hotel, hers) == [0]
    assert sorted(ahead(hotel, his, third)) == [0, 10_000]
    assert broken(hotel) == []


def test_is_refunded_or_moved_and_not_both_at_once(hotel: Hotel, hers: str, his: str) -> None:
    """100.00 are there, and 60.00 wanted by the guest, and 60.00 by another folio."""
    (payment,) = (line["lineId"] for line in lines_of(hotel, hers))

    answers = at_once(
        [
            partial(refund, hotel, hers, payment, usd(6_000)),
            partial(move, hotel, hers, his, 6_000),
        ]
    )

    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert balances(hotel, hers) == [-4_000]
    assert broken(hotel) == []


def test_both_directions_at_once_never_wait_for_one_another(
    hotel: Hotel, hers: str, his: str
) -> None:
    """Five times 10.00 go there, and five times 5.00 of his own 50.00 come here."""
    hotel.paid(his, usd(5_000), allowCredit=True)
    going = [partial(move, hotel, hers, his, 1_000) for _ in range(5)]
    coming = [partial(move, hotel, his, hers, 500) for _ in range(5)]

    answers = at_once([*going, *coming])

    assert {answer.status_code for answer in answers} == {201}
    assert ahead(hotel, hers, his) == [7_500, 7_500]
    assert broken(hotel) == []


@pytest.mark.parametrize("coming", [False, True], ids=["going", "coming"])
def test_folios_are_held_in_one_order_whichever_is_asked_first(
    hotel: Hotel, house: House, coming: bool
) -> None:
    """Somebody has the one with the smaller id: whoever waits for it does not have the other."""
    first, second = sorted(paid_ahead(hotel, 100) for _ in range(2))
    source, target = (second, first) if coming else (first, second)
    take = f"SELECT id FROM {hotel.schema}.folios WHERE id = :id FOR NO KEY UPDATE"

    with house.session() as holder:
        holder.run("BEGIN")
        holder.run(take, id=first)
        with meanwhile(partial(move, hotel, source, target, 100)) as answer:
            house.until_waiting(holder)
            others = house.sql(f"{take} SKIP LOCKED", id=second)
            holder.run("ROLLBACK")

    assert others == [[second]]
    assert answer().status_code == 201


@pytest.mark.req("EVT-1", "AUD-1")
def test_both_folios_tell_what_moved_and_why(hotel: Hotel, hers: str, his: str) -> None:
    hotel.post(path(hers), wanted(his, 4_000), token=hotel.token(sub="laila"))

    assert told(hotel)[-2:] == ["folio.deposit_moved"] * 2
    events = hotel.events("folio.deposit_moved")
    by_folio = {event["subject"]: event["data"] for event in events}
    assert by_folio.keys() == {hers, his}
    for data in by_folio.values():
        assert (data["fromFolioId"], data["toFolioId"]) == (hers, his)
        assert data["reason"] == "One room less"
    assert [by_folio[folio]["balance"] for folio in (hers, his)] == [usd(-6_000), usd(-4_000)]
    entries = trail(hotel, "folio.deposit_moved")
    assert {(each["actor"], each["reason"]) for each in entries} == {("laila", "One room less")}
    assert_books_are_right(hotel)


@pytest.mark.req("SEC-3", "TEN-2")
def test_a_neighbours_folio_is_unknown_whichever_end_it_is(
    hotel: Hotel, house: House, hers: str
) -> None:
    neighbour = house.new_hotel()
    theirs = paid_ahead(neighbour, 10_000)
    before = state(hotel), state(neighbour)

    for answer in (move(hotel, hers, theirs, 100), move(hotel, theirs, hers, 100)):
        assert_refused(answer, 404, "FOLIO_UNKNOWN")

    assert (state(hotel), state(neighbour)) == before


@pytest.mark.req("API-10")
def test_is_held_against_the_version_of_the_folio_that_it_leaves(
    hotel: Hotel, hers: str, his: str
) -> None:
    stale = hotel.post(path(hers), wanted(his, 100), headers={"If-Match": '"1"'})
    fresh = hotel.post(path(hers), wanted(his, 100), headers={"If-Match": '"2"'})

    assert_refused(stale, 412, "MELMASTOON.GENERAL.VERSION_STALE")
    assert (fresh.status_code, fresh.headers["ETag"]) == (201, '"3"')
