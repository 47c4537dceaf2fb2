"""Showing a folio with all that ever moved its balance."""

import pytest

from tests.hotel import Hotel, new_id, usd
from tests.proofs import GENERAL, assert_refused, state


@pytest.mark.req("FOL-1", "FOL-4", "FOL-6")
def test_shows_every_line_in_its_order_and_the_balance_they_make(hotel: Hotel) -> None:
    """100.00 and 10.00; 5.00 and 0.50, voided; 60.00 paid: 50.00."""
    folio = hotel.open_folio()
    hotel.charged(folio)
    voided = hotel.charged(folio, "minibar", 500)
    hotel.post(f"/folios/{folio}/charges/{voided}/void", {"reason": "Not taken"})
    hotel.paid(folio, usd(6_000))

    shown = hotel.get(f"/folios/{folio}")

    assert shown.status_code == 200
    lines = shown.json["lines"]
    cents = [line["amount"]["amountMicro"] // 10_000 for line in lines]
    assert cents == [10_000, 1_000, 500, 50, -500, -50, -6_000]
    assert [line["sequence"] for line in lines] == [1, 2, 3, 4, 5, 6, 7]
    assert [line["type"] for line in lines] == [
        "charge", "tax", "charge", "tax", "void", "void", "payment",
    ]  # fmt: skip
    assert shown.json["balance"] == usd(5_000)
    assert shown.headers["ETag"] == f'"{shown.json["version"]}"' == '"5"'
    assert shown.headers["Cache-Control"] == "no-store"


@pytest.mark.req("FOL-1")
def test_changes_nothing_and_stores_no_answer(hotel: Hotel) -> None:
    folio = hotel.open_folio()
    before = state(hotel)

    answers = [hotel.get(f"/folios/{folio}").data for _ in range(2)]

    assert answers[0] == answers[1]
    assert state(hotel) == before


@pytest.mark.req("API-3")
@pytest.mark.parametrize(
    ("folio", "status", "code"),
    [
        (new_id("fol"), 404, "FOLIO_UNKNOWN"),
        (new_id("inv"), 400, GENERAL + "VALIDATION_FAILED"),
        ("fol_1", 400, GENERAL + "VALIDATION_FAILED"),
    ],
    ids=["unknown", "of another kind", "no id"],
)
def test_refuses_what_is_no_folio(hotel: Hotel, folio: str, status: int, code: str) -> None:
    assert_refused(hotel.get(f"/folios/{folio}"), status, code)


@pytest.mark.req("SEC-2")
def test_needs_the_scope_to_read(hotel: Hotel) -> None:
    folio = hotel.open_folio()

    answer = hotel.get(f"/folios/{folio}", token=hotel.token("billing.folio.write"))

    assert_refused(answer, 403, "MELMASTOON.IAM.SCOPE_MISSING")
