"""Whose a difference with the processor is, and what became of it (REC-1)."""

from uuid import uuid4

import pytest

from tests.hotel import Hotel, new_id
from tests.matching import about, difference, resolve
from tests.proofs import assert_books_are_right
from tests.reconciling import ADMIN, REPORT, Clock
from tests.security.answers import is_problem
from tests.together import at_once

pytestmark = pytest.mark.req("REC-1")


def test_a_difference_is_owned_and_answered_for(hotel: Hotel) -> None:
    """It is finance's until somebody takes it over; whoever answers for it says why, once."""
    id = difference(hotel)
    shown = hotel.get(f"/processor-differences/{id}", token=hotel.token(REPORT)).json
    assert (shown["status"], shown["owner"], shown["kind"]) == (
        "open",
        "finance",
        "payment_not_recorded",
    )
    assert shown["expected"] == {"amountMicro": 10_000_000, "currency": "USD"}
    assert shown["ageSeconds"] >= 0

    owned = hotel.post(f"/processor-differences/{id}/owner", {}, token=hotel.token(ADMIN, sub="mo"))
    assert owned.json["owner"] == "mo"
    given = hotel.post(f"/processor-differences/{id}/owner", {"owner": "laila"})
    assert given.json["owner"] == "laila"
    first = resolve(hotel, id, key="once")
    again = resolve(hotel, id, key="once")

    assert first.json == again.json
    assert (first.json["status"], first.json["ageSeconds"]) == ("resolved", None)
    code = "MELMASTOON.BILLING.PROCESSOR_DIFFERENCE_NOT_OPEN"
    is_problem(resolve(hotel, id), 409, code=code)
    is_problem(hotel.post(f"/processor-differences/{id}/owner", {}), 409, code=code)
    assert about(hotel)[-3:] == [
        "processor_reconciliation.mismatch_owned",
        "processor_reconciliation.mismatch_owned",
        "processor_reconciliation.mismatch_resolved",
    ]
    assert_books_are_right(hotel)


def test_two_who_answer_for_it_at_once_do_so_once(hotel: Hotel) -> None:
    id = difference(hotel)

    answers = at_once([lambda: resolve(hotel, id)] * 2)

    assert sorted(each.status_code for each in answers) == [200, 409]


@pytest.mark.req("SEC-3", "API-5")
def test_lists_differences_by_status_kind_and_owner(hotel: Hotel, clock: Clock) -> None:
    """Those of another property are unknown; an unknown id is, too."""
    clock("2026-03-01T10:00:00Z")
    first, second = difference(hotel), difference(hotel)
    assert resolve(hotel, first).status_code == 200
    token = hotel.token(REPORT)

    def listed(**which: str) -> list[str]:
        page = hotel.get("/processor-differences", token=token, **which).json
        return [each["differenceId"] for each in page["items"]]

    assert listed() == [first, second]
    assert listed(status="open", owner="finance") == [second]
    assert listed(kind="refund_not_made") == []
    page = hotel.get("/processor-differences", token=token, limit="1").json
    assert listed(cursor=page["nextCursor"]) == [second]
    elsewhere = hotel.token(REPORT, property_ids=[uuid4()])
    assert hotel.get("/processor-differences", token=elsewhere).json["items"] == []
    is_problem(hotel.get(f"/processor-differences/{first}", token=elsewhere), 404)
    is_problem(hotel.get(f"/processor-differences/{new_id('prd')}", token=token), 404)
