"""What the nightly reconciliation found is listed, shown, and answered for with a reason."""

from functools import partial
from uuid import uuid4

import pytest

from common.runtime.declaration import declaration_of
from functions.cash.resolve_reconciliation import resolve_reconciliation
from tests.hotel import Hotel, new_id
from tests.proofs import (
    GENERAL,
    assert_answers_once,
    assert_books_are_right,
    assert_nothing_personal,
    assert_refused,
    state,
    told,
    trail,
)
from tests.reconciling import (
    ADMIN,
    DATE,
    OVER,
    REPORT,
    BusyDay,
    Clock,
    plant,
    run,
    unplant_line,
)
from tests.together import at_once

pytestmark = pytest.mark.req("CASH-9")

REASON = {"reason": "The line was corrected by hand, see ticket 4711"}


@pytest.fixture
def day(hotel: Hotel, clock: Clock) -> BusyDay:
    """A busy day that is over."""
    lived = BusyDay.lived(hotel, clock)
    clock(OVER)
    return lived


def reconciled(hotel: Hotel) -> str:
    """Run the job for the date; the reconciliation's id."""
    run(hotel, as_of=DATE)
    ((id,),) = hotel.rows("SELECT id FROM {s}.reconciliations")
    found: str = id
    return found


def mismatched(day: BusyDay) -> str:
    """A reconciliation that found one difference."""
    plant(day, "folio_lines")
    return reconciled(day.hotel)


def path(id: str) -> str:
    return f"/cash-reconciliations/{id}/resolve"


def test_shows_each_difference(hotel: Hotel, day: BusyDay) -> None:
    """200.00 and 20.00 tax, less 270.00 by card, plus 12.00 given back; a line says 1.00 more."""
    id = mismatched(day)

    answer = hotel.get(f"/cash-reconciliations/{id}")

    assert answer.status_code == 200, answer.text
    shown = answer.json
    assert (shown["status"], shown["businessDate"]) == ("mismatch", "2026-03-01")
    assert shown["propertyId"] == str(hotel.property_id)
    assert shown["processorAnswered"] is True
    assert shown["counts"] == [{"kind": "folio_lines", "count": 1}]
    (difference,) = shown["differences"]
    assert difference == {
        "kind": "folio_lines",
        "about": day.folio,
        "expected": {"amountMicro": -37_000_000, "currency": "USD"},
        "found": {"amountMicro": -38_000_000, "currency": "USD"},
    }
    assert (shown["resolvedBy"], shown["resolvedAt"], shown["reason"]) == (None, None, None)


@pytest.mark.req("CASH-3")
def test_shows_no_amount_of_a_drawer_that_is_counted_blind(hotel: Hotel, day: BusyDay) -> None:
    plant(day, "drawer_that_runs")

    shown = hotel.get(f"/cash-reconciliations/{reconciled(hotel)}").json

    assert shown["differences"] == [
        {
            "kind": "drawer_movements",
            "about": day.running.session,
            "expected": None,
            "found": None,
        }
    ]


def test_a_house_that_does_not_count_blind_sees_the_amounts(hotel: Hotel, day: BusyDay) -> None:
    """The float of 200.00 is written down as 199.00."""
    hotel.write_settings(blindCount=False)
    plant(day, "drawer_that_runs")

    shown = hotel.get(f"/cash-reconciliations/{reconciled(hotel)}").json

    (difference,) = shown["differences"]
    assert difference["expected"]["amountMicro"] == 199_000_000
    assert difference["found"]["amountMicro"] == 200_000_000


def test_lists_by_property_status_and_date(hotel: Hotel, day: BusyDay, clock: Clock) -> None:
    id = mismatched(day)
    clock("2026-03-04T01:00:00Z")
    unplant_line(day)
    run(hotel)

    every = hotel.get("/cash-reconciliations").json
    dates = sorted(each["businessDate"] for each in every["items"])
    assert dates == ["2026-03-01", "2026-03-02", "2026-03-03"]
    assert every["nextCursor"] is None

    def ids(**query: str) -> list[str]:
        answer = hotel.get("/cash-reconciliations", **query)
        return [each["reconciliationId"] for each in answer.json["items"]]

    assert ids(status="mismatch") == [id]
    assert len(ids(status="matched")) == 2
    assert ids(businessDate="2026-03-01") == [id]
    assert len(ids(propertyId=str(hotel.property_id))) == 3
    assert ids(propertyId=str(uuid4())) == []


def test_lists_a_page_after_the_other(hotel: Hotel, day: BusyDay, clock: Clock) -> None:
    clock("2026-03-04T01:00:00Z")
    run(hotel)

    first = hotel.get("/cash-reconciliations", limit="2").json
    second = hotel.get("/cash-reconciliations", limit="2", cursor=first["nextCursor"]).json

    assert [len(first["items"]), len(second["items"])] == [2, 1]
    assert second["nextCursor"] is None


@pytest.mark.req("AUD-1", "EVT-2")
def test_a_person_answers_for_a_mismatch(hotel: Hotel, day: BusyDay) -> None:
    id = mismatched(day)
    differences = hotel.get(f"/cash-reconciliations/{id}").json["differences"]

    answer = hotel.post(path(id), REASON, token=hotel.token(ADMIN, sub="yusuf"))

    assert answer.status_code == 200, answer.text
    assert (answer.json["status"], answer.json["resolvedBy"]) == ("resolved", "yusuf")
    assert answer.json["reason"] == REASON["reason"]
    assert answer.json["differences"] == differences, "what was found stays written down"
    assert told(hotel)[-1] == "reconciliation.resolved"
    (entry,) = trail(hotel, "reconciliation.resolved")
    assert (entry["actor"], entry["reason"]) == ("yusuf", REASON["reason"])
    (event,) = hotel.events("reconciliation.resolved")
    assert event["data"]["resolvedBy"] == "yusuf"
    assert event["data"]["counts"] == [{"kind": "folio_lines", "count": 1}]
    assert_nothing_personal(hotel, "A. Guest")


def test_stays_resolved_while_the_same_is_found_and_not_longer(hotel: Hotel, day: BusyDay) -> None:
    id = mismatched(day)
    hotel.post(path(id), REASON)
    before = state(hotel, without=("reconciliations",))

    run(hotel, as_of=DATE)

    assert hotel.get(f"/cash-reconciliations/{id}").json["status"] == "resolved"
    assert state(hotel, without=("reconciliations",)) == before

    plant(day, "payment_not_captured")
    run(hotel, as_of=DATE)

    shown = hotel.get(f"/cash-reconciliations/{id}").json
    assert (shown["status"], shown["resolvedBy"], shown["reason"]) == ("mismatch", None, None)
    assert told(hotel)[-1] == "reconciliation.mismatch_found"


REFUSALS = [
    ("RECONCILIATION_UNKNOWN", 404),
    ("RECONCILIATION_NOTHING_TO_RESOLVE", 409),
]


@pytest.mark.req("API-3")
@pytest.mark.parametrize(("code", "status"), REFUSALS)
def test_refuses_and_changes_nothing(hotel: Hotel, day: BusyDay, code: str, status: int) -> None:
    """There is none; there is nothing to answer for."""
    id = reconciled(hotel) if status == 409 else new_id("rec")
    before = state(hotel)

    answer = hotel.post(path(id), REASON)

    assert_refused(answer, status, code)
    assert state(hotel) == before


@pytest.mark.req("API-3")
def test_every_refusal_that_is_declared_is_tried() -> None:
    declared = {refusal.code for refusal in declaration_of(resolve_reconciliation).refusals}

    assert declared == {code for code, _ in REFUSALS}


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "ok", "status": "matched"}])
def test_refuses_without_a_reason(hotel: Hotel, day: BusyDay, body: dict[str, str]) -> None:
    id = mismatched(day)
    before = state(hotel)

    answer = hotel.post(path(id), body)

    assert_refused(answer, 400, GENERAL + "VALIDATION_FAILED")
    assert state(hotel) == before


def test_a_retry_is_answered_the_same(hotel: Hotel, day: BusyDay) -> None:
    id = mismatched(day)

    assert_answers_once(hotel, path(id), REASON, {"reason": "Another one"})


def test_one_of_two_at_once_answers_for_it(hotel: Hotel, day: BusyDay) -> None:
    id = mismatched(day)
    tokens = [hotel.token(ADMIN, sub=who) for who in ("yusuf", "laila")]

    answers = at_once([partial(hotel.post, path(id), REASON, token=each) for each in tokens])

    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert told(hotel).count("reconciliation.resolved") == 1


@pytest.mark.req("SEC-2", "TEN-2")
def test_needs_the_scope_and_the_property(hotel: Hotel, day: BusyDay) -> None:
    id = mismatched(day)
    shown = f"/cash-reconciliations/{id}"
    stranger = hotel.token(property_ids=[uuid4()])
    before = state(hotel)

    missing = "MELMASTOON.IAM.SCOPE_MISSING"
    assert_refused(hotel.post(path(id), REASON, token=hotel.token(REPORT)), 403, missing)
    assert_refused(hotel.get(shown, token=hotel.token(ADMIN)), 403, missing)
    assert_refused(hotel.get(shown, token=stranger), 404, "RECONCILIATION_UNKNOWN")
    assert_refused(hotel.post(path(id), REASON, token=stranger), 404, "RECONCILIATION_UNKNOWN")
    assert hotel.get("/cash-reconciliations", token=stranger).json["items"] == []
    assert state(hotel) == before


@pytest.mark.req("TEN-2")
def test_another_tenants_is_unknown(hotel: Hotel, day: BusyDay) -> None:
    id = mismatched(day)
    other = hotel.house.new_hotel()
    before = state(hotel)

    assert_refused(other.get(f"/cash-reconciliations/{id}"), 404, "RECONCILIATION_UNKNOWN")
    assert_refused(other.post(path(id), REASON), 404, "RECONCILIATION_UNKNOWN")
    assert other.get("/cash-reconciliations").json["items"] == []
    assert state(hotel) == before


def test_a_client_that_saw_an_older_one_is_told(hotel: Hotel, day: BusyDay) -> None:
    id = mismatched(day)
    version = hotel.get(f"/cash-reconciliations/{id}").json["version"]
    plant(day, "payment_not_captured")
    run(hotel, as_of=DATE)

    answer = hotel.post(path(id), REASON, headers={"If-Match": f'"{version}"'})

    assert answer.status_code == 412, answer.text
    unplant_line(day)
    assert_books_are_right(hotel)
