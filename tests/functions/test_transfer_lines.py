"""Charges move to another folio, whole or in part: both folios are right, or as they were."""

from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from common.runtime.declaration import declaration_of
from functions.folios.transfer_lines import transfer_lines
from tests.hotel import Hotel, House, new_id, usd, vat
from tests.moving import (
    accounts,
    adjusted,
    balances,
    cents,
    lines_of,
    move,
    path,
    untaxed_allowed,
    wanted,
)
from tests.proofs import (
    assert_answers_once,
    assert_books_are_right,
    assert_refused,
    state,
    told,
    trail,
)
from tests.together import at_once, meanwhile

pytestmark = pytest.mark.req("FOL-7")

REFUSALS: list[tuple[str, int, dict[str, Any]]] = [
    ("FOLIO_UNKNOWN", 404, {"toFolioId": new_id("fol")}),
    ("FOLIO_UNKNOWN", 404, {"leaves": new_id("fol")}),
    ("TRANSFER_SAME_FOLIO", 422, {}),
    ("TRANSFER_CROSS_PROPERTY", 422, {}),
    ("CURRENCY_MISMATCH", 422, {}),
    ("CURRENCY_MISMATCH", 422, {"amount": {"amountMicro": 10_000, "currency": "EUR"}}),
    ("FOLIO_CLOSED", 409, {}),
    ("FOLIO_CLOSED", 409, {"leaves": "closed"}),
    ("CHARGE_UNKNOWN", 404, {}),
    ("CHARGE_ALREADY_VOIDED", 409, {}),
    ("AMOUNT_NOT_POSITIVE", 422, {"amount": usd(0)}),
    ("AMOUNT_NOT_POSITIVE", 422, {"amount": usd(-1)}),
    ("AMOUNT_NOT_POSITIVE", 422, {"sharePpm": 1}),
    ("AMOUNT_NOT_IN_MINOR_UNITS", 422, {"amount": {"amountMicro": 1, "currency": "USD"}}),
    ("TRANSFER_EXCEEDS_CHARGES", 422, {"amount": usd(10_001)}),
    ("UNTAXED_CHARGE_SPLIT", 422, {"sharePpm": 500_000}),
    ("PAN_DETECTED", 422, {"reason": "Card 4111 1111 1111 1111"}),
    ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {"reason": ""}),
    ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {"chargeIds": []}),
    ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {"sharePpm": 0}),
    *(
        ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {"sharePpm": bad})
        for bad in (-1, 1_000_001, 2**63, 0.5, 1.0, "5", True, [1], {"ppm": 1})
    ),
    ("MELMASTOON.GENERAL.VALIDATION_FAILED", 400, {"sharePpm": 1, "amount": usd(1)}),
]


@pytest.fixture
def his(hotel: Hotel) -> str:
    return hotel.open_folio()


@pytest.fixture
def hers(hotel: Hotel) -> str:
    return hotel.open_folio()


@pytest.mark.req("FOL-4", "FOL-6", "MON-6")
def test_moves_a_charge_with_its_tax_to_another_folio(hotel: Hotel, hers: str, his: str) -> None:
    """Hers: a spa of 80.00 and a minibar of 5.00. The spa, and its 8.00, are his now."""
    spa = hotel.charged(hers, "spa", 8_000, quantity="1", description={"de": "Bad"})
    hotel.charged(hers, "minibar", 500)
    before, booked = lines_of(hotel, hers), accounts(hotel)

    answer = move(hotel, hers, his, spa)

    assert answer.status_code == 201, answer.text
    left, reached = answer.json["lines"], answer.json["target"]["lines"]
    assert (answer.json["folioId"], answer.json["target"]["folioId"]) == (hers, his)
    assert cents(left) == [("void", -8_000), ("void", -800)]
    assert [line["corrects"] for line in left] == [line["lineId"] for line in before[:2]]
    assert cents(reached) == [("charge", 8_000), ("tax", 800)]
    assert [line["movedFrom"] for line in reached] == [line["lineId"] for line in left]
    assert {line["reason"] for line in (*left, *reached)} == {"He pays for her"}
    assert {line["chargeId"] for line in reached} == {reached[0]["lineId"]} != {spa}
    kept = ("kind", "quantity", "unitAmount", "serviceDate", "source", "description", "tax")
    for old, new in zip(before[:2], reached, strict=True):
        assert {name: new[name] for name in kept} == {name: old[name] for name in kept}
    assert (answer.json["balance"], answer.json["target"]["balance"]) == (usd(550), usd(8_800))
    assert lines_of(hotel, hers) == [*before, *left]
    assert lines_of(hotel, his) == reached
    assert accounts(hotel) == booked
    assert_books_are_right(hotel)


@pytest.mark.req("FOL-6")
def test_moves_what_was_adjusted_and_what_is_cut_by_nights_as_it_stands(
    hotel: Hotel, hers: str, his: str
) -> None:
    """A night at 10 % and one at 12 %, 50.00 each, less 10.00 that fall on both alike: 5.00 with
    0.50 and 5.00 with 0.60. 90.00 and 9.90 are his, and a void there takes all of it."""
    hotel.write_settings(taxRules=[vat(validTo="2026-04-01"), vat(120_000, validFrom="2026-04-01")])
    room = hotel.charged(hers, "room", 10_000, nights=2, serviceDate="2026-03-31")
    adjusted(hotel, hers, room, -1_000)

    reached = move(hotel, hers, his, room).json["target"]["lines"]

    assert cents(reached) == [
        ("charge", 5_000), ("tax", 500), ("charge", 5_000), ("tax", 600),
        ("adjustment", -500), ("tax", -50), ("adjustment", -500), ("tax", -60),
    ]  # fmt: skip
    assert [line["serviceDate"] for line in reached[::2]] == ["2026-03-31", "2026-04-01"] * 2
    first = reached[0]["lineId"]
    assert {line["chargeId"] for line in reached} == {first}
    assert [line["corrects"] for line in reached] == [None] * 4 + [first] * 4
    assert balances(hotel, hers, his) == [0, 9_990]
    void = hotel.post(f"/folios/{his}/charges/{first}/void", {"reason": "Not his"})
    assert len(void.json["lines"]) == 8
    assert balances(hotel, hers, his) == [0, 0]
    assert_books_are_right(hotel)


@pytest.mark.req("FOL-6", "MON-3")
def test_moves_a_share_of_several_charges(hotel: Hotel, hers: str, his: str) -> None:
    """A third of 10.00, 10.00 and 0.01 is 6.67: 3.34, 3.33 and nothing. 10 % are 0.33 each."""
    charges = [hotel.charged(hers, "spa", cent) for cent in (1_000, 1_000, 1)]
    booked = accounts(hotel)

    answer = move(hotel, hers, his, *charges, sharePpm=333_333)

    assert answer.status_code == 201, answer.text
    assert cents(answer.json["lines"]) == [
        ("adjustment", -334), ("tax", -33), ("adjustment", -333), ("tax", -33),
    ]  # fmt: skip
    reached = answer.json["target"]["lines"]
    assert cents(reached) == [("charge", 334), ("tax", 33), ("charge", 333), ("tax", 33)]
    assert [line["chargeId"] for line in reached[::2]] == [line["lineId"] for line in reached[::2]]
    assert [line["quantity"] for line in reached[::2]] == ["1", "1"]
    assert [line["unitAmount"] for line in reached[::2]] == [usd(334), usd(333)]
    assert balances(hotel, hers, his) == [2_201 - 733, 733]
    assert accounts(hotel) == booked
    assert_books_are_right(hotel)


def test_moves_an_amount_and_what_is_left_of_the_charge_afterwards(
    hotel: Hotel, hers: str, his: str
) -> None:
    """Of 100.00 and 10.00, 40.00 and 4.00 are his; of what is left the rest moves whole."""
    room = hotel.charged(hers)

    move(hotel, hers, his, room, amount=usd(4_000))
    between = balances(hotel, hers, his)
    rest = move(hotel, hers, his, room, amount=usd(6_000))

    assert between == [6_600, 4_400]
    assert {line["type"] for line in rest.json["lines"]} == {"void"}
    assert cents(rest.json["target"]["lines"]) == [
        ("charge", 10_000), ("tax", 1_000), ("adjustment", -4_000), ("tax", -400),
    ]  # fmt: skip
    assert balances(hotel, hers, his) == [0, 11_000]
    assert_refused(move(hotel, hers, his, room), 409, "CHARGE_ALREADY_VOIDED")
    assert_books_are_right(hotel)


def _prepared(hotel: Hotel, code: str, changes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path and the body of what is refused by a code."""
    leaves, asked = changes.get("leaves"), {k: v for k, v in changes.items() if k != "leaves"}
    if code == "UNTAXED_CHARGE_SPLIT":
        untaxed_allowed(hotel)
    if code == "TRANSFER_CROSS_PROPERTY":
        (first,) = hotel.settings()["properties"]
        second = {**first, "id": str(uuid4()), "code": "HRT"}
        hotel.write_settings(properties=[first, second])
        other = _at(hotel, second)
    elif code == "CURRENCY_MISMATCH" and not asked:
        other = hotel.open_folio(currency="EUR")
    else:
        other = hotel.open_folio()
    folio = hotel.open_folio()
    charged = hotel.charged(folio, cents=10_000)
    if code == "CHARGE_UNKNOWN":
        charged = hotel.charged(other)
    if code == "CHARGE_ALREADY_VOIDED" or leaves == "closed":
        void = f"/folios/{folio}/charges/{charged}/void"
        assert hotel.post(void, {"reason": "Wrong room"}).status_code == 201
    if code == "FOLIO_CLOSED":
        assert hotel.post(f"/folios/{folio if leaves else other}/close").status_code == 200
    to = folio if code == "TRANSFER_SAME_FOLIO" else other
    body = {**wanted(to, charged), **asked}
    return path(leaves if leaves and leaves != "closed" else folio), body


def _at(hotel: Hotel, house: dict[str, Any]) -> str:
    body = {"propertyId": house["id"], "guest": {"name": "B. Guest"}}
    token = hotel.token(property_ids=[house["id"]])
    folio: str = hotel.post("/folios", body, token=token).json["folioId"]
    return folio


@pytest.mark.req("API-3")
@pytest.mark.parametrize(("code", "status", "changes"), REFUSALS)
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
    """What was credited: test_corrections_of_what_was_billed.py tries that one."""
    declared = {refusal.code for refusal in declaration_of(transfer_lines).refusals}

    assert declared - {"CHARGE_CREDITED"} <= {code for code, *_ in REFUSALS}


@pytest.mark.parametrize("closed", ["hers", "his"])
def test_says_which_folio_is_closed(hotel: Hotel, hers: str, his: str, closed: str) -> None:
    spa = hotel.charged(his if closed == "hers" else hers, "spa", 8_000)
    shut = hers if closed == "hers" else his
    assert hotel.post(f"/folios/{shut}/close").status_code == 200

    answer = move(hotel, his, hers, spa) if closed == "hers" else move(hotel, hers, his, spa)

    assert_refused(answer, 409, "FOLIO_CLOSED")
    assert answer.json["folioId"] == shut


@pytest.mark.req("API-4")
@pytest.mark.parametrize("how_much", [{}, {"sharePpm": 250_000}], ids=["whole", "part"])
def test_answers_a_retry_with_the_first_answer_and_one_effect(
    hotel: Hotel, hers: str, his: str, how_much: dict[str, Any]
) -> None:
    asked = wanted(his, hotel.charged(hers), **how_much)

    assert_answers_once(hotel, path(hers), asked, {**asked, "reason": "Another"})


def test_moves_a_charge_once_when_two_clerks_try_at_once(hotel: Hotel, hers: str, his: str) -> None:
    third = hotel.open_folio()
    room = hotel.charged(hers)

    answers = at_once([partial(move, hotel, hers, to, room) for to in (his, third) * 3])

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]
    assert balances(hotel, hers) == [0]
    assert sorted(balances(hotel, his, third)) == [0, 11_000]
    assert_books_are_right(hotel)


def test_both_directions_at_once_never_wait_for_one_another(
    hotel: Hotel, hers: str, his: str
) -> None:
    """Five charges of 1.00 go each way: nobody is sent away, and each owes what the other did."""
    going = [(hers, his, hotel.charged(hers, "minibar", 100)) for _ in range(5)]
    coming = [(his, hers, hotel.charged(his, "spa", 200)) for _ in range(5)]

    answers = at_once([partial(move, hotel, *each) for each in (*going, *coming)])

    assert {answer.status_code for answer in answers} == {201}
    assert balances(hotel, hers, his) == [1_100, 550]
    assert_books_are_right(hotel)


@pytest.mark.parametrize("coming", [False, True], ids=["going", "coming"])
def test_folios_are_held_in_one_order_whichever_is_asked_first(
    hotel: Hotel, house: House, hers: str, his: str, coming: bool
) -> None:
    """Somebody has the one with the smaller id: whoever waits for it does not have the other."""
    first, second = sorted((hers, his))
    source, target = (second, first) if coming else (first, second)
    spa = hotel.charged(source, "spa", 100)
    take = f"SELECT id FROM {hotel.schema}.folios WHERE id = :id FOR NO KEY UPDATE"

    with house.session() as holder:
        holder.run("BEGIN")
        holder.run(take, id=first)
        with meanwhile(partial(move, hotel, source, target, spa)) as answer:
            house.until_waiting(holder)
            others = house.sql(f"{take} SKIP LOCKED", id=second)
            holder.run("ROLLBACK")

    assert others == [[second]]
    assert answer().status_code == 201


@pytest.mark.req("EVT-1", "AUD-1")
def test_both_folios_tell_what_moved_and_why(hotel: Hotel, hers: str, his: str) -> None:
    spa = hotel.charged(hers, "spa", 8_000)

    hotel.post(path(hers), wanted(his, spa), token=hotel.token(sub="laila"))

    assert told(hotel)[-2:] == ["folio.lines_transferred"] * 2
    events = hotel.events("folio.lines_transferred")
    assert {event["subject"] for event in events} == {hers, his}
    for event in events:
        data = event["data"]
        assert (data["fromFolioId"], data["toFolioId"]) == (hers, his)
        assert data["reason"] == "He pays for her"
    by_folio = {event["subject"]: event["data"]["lines"] for event in events}
    assert [line["movedFrom"] for line in by_folio[his]] == [
        line["lineId"] for line in by_folio[hers]
    ]
    entries = trail(hotel, "folio.lines_transferred")
    assert {(entry["actor"], entry["reason"]) for entry in entries} == {
        ("laila", "He pays for her")
    }
    assert_books_are_right(hotel)


@pytest.mark.req("SEC-3", "TEN-2")
def test_a_neighbours_folio_is_unknown_whichever_end_it_is(
    hotel: Hotel, house: House, hers: str, his: str
) -> None:
    neighbour = house.new_hotel()
    theirs = neighbour.open_folio()
    own, spa = hotel.charged(hers, "spa", 100), neighbour.charged(theirs, "spa", 100)
    before = state(hotel), state(neighbour)

    for answer in (
        move(hotel, hers, theirs, own),
        move(hotel, theirs, hers, spa),
        move(neighbour, hers, his, own),
    ):
        assert_refused(answer, 404, "FOLIO_UNKNOWN")

    assert (state(hotel), state(neighbour)) == before


@pytest.mark.req("SEC-3")
def test_a_folio_of_a_property_outside_the_token_is_unknown(hotel: Hotel, hers: str) -> None:
    (first,) = hotel.settings()["properties"]
    second = {**first, "id": str(uuid4()), "code": "HRT"}
    hotel.write_settings(properties=[first, second])
    elsewhere, spa = _at(hotel, second), hotel.charged(hers, "spa", 100)
    before = state(hotel)

    answer = move(hotel, hers, elsewhere, spa)

    assert_refused(answer, 404, "FOLIO_UNKNOWN")
    assert state(hotel) == before


@pytest.mark.req("API-10")
def test_is_held_against_the_version_of_the_folio_that_it_leaves(
    hotel: Hotel, hers: str, his: str
) -> None:
    spa = hotel.charged(hers, "spa", 8_000)
    stale = hotel.post(path(hers), wanted(his, spa), headers={"If-Match": '"1"'})
    fresh = hotel.post(path(hers), wanted(his, spa), headers={"If-Match": '"2"'})

    assert_refused(stale, 412, "MELMASTOON.GENERAL.VERSION_STALE")
    assert (fresh.status_code, fresh.headers["ETag"]) == (201, '"3"')
