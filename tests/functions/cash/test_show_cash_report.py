"""The daily cash report: what the closed drawers of a date came to, and not a word of the others.

Karim had 143.00 of float; guests paid 37.17 in cash, of which 6.43 went back; 2.00 were paid in,
5.31 paid out and 12.29 dropped, so that 158.14 were due; 155.57 were counted, 2.57 are short. Nadia
had 100.00 and 20.00 EUR; a guest paid 30.00 EUR; 101.00 and 50.00 EUR were counted, 1.00 is over.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.hotel import Hotel, charge, usd
from tests.proofs import GENERAL, assert_books_are_right, assert_refused, state
from tests.refunding import refund
from tests.till import Till

REPORT = "billing.report.read"
FIGURES = (
    *("opening", "payments", "refunds", "paidIn", "paidOut", "drops"),
    *("expected", "counted", "variance", "turnedIn"),
)
Report = dict[str, Any]


def eur(cents: int) -> dict[str, Any]:
    return {"amountMicro": cents * 10_000, "currency": "EUR"}


def cents(column: dict[str, Any]) -> tuple[int, ...]:
    """The figures of a currency, in the order of FIGURES."""
    assert {column[name]["currency"] for name in FIGURES} == {column["currency"]}
    return tuple(column[name]["amountMicro"] // 10_000 for name in FIGURES)


def by_currency(columns: list[dict[str, Any]]) -> dict[str, tuple[int, ...]]:
    return {column["currency"]: cents(column) for column in columns}


@dataclass
class Day:
    """A hotel's cash on a day."""

    hotel: Hotel
    karim: Till
    nadia: Till
    date: str

    def report(self, **changes: Any) -> Report:
        query = {"propertyId": str(self.hotel.property_id), "businessDate": self.date, **changes}
        answer = self.hotel.get("/reports/cash", token=self.hotel.token(REPORT), **query)
        assert answer.status_code == 200, answer.text
        document: Report = answer.json
        return document


@pytest.fixture
def day(hotel: Hotel) -> Day:
    karim = Till.opened(hotel, usd(14_300))
    folio = hotel.open_folio()
    hotel.post(f"/folios/{folio}/charges", charge("minibar", 3_379))  # and 3.38: 37.17
    paid = karim.pay(usd(3_717), folio)
    payment = paid.json["lines"][0]["lineId"]
    assert refund(hotel, folio, payment, usd(643), karim.karim).status_code == 201
    for kind, amount in (("paid_in", 200), ("paid_out", 531), ("drop", 1_229)):
        assert karim.move(kind, usd(amount)).status_code == 201
    nadia = Till.opened(hotel, usd(10_000), eur(2_000), by="nadia")
    assert nadia.pay(eur(3_000)).status_code == 201
    return Day(hotel, karim, nadia, karim.shown()["businessDate"])


def close(day: Day) -> None:
    for till, count in ((day.karim, [usd(15_557)]), (day.nadia, [usd(10_100), eur(5_000)])):
        assert till.initiate(*count).status_code == 200
        assert till.close(*count).status_code == 200


@pytest.mark.req("REP-1", "CASH-2", "CASH-3", "CASH-4")
def test_tells_what_each_closed_drawer_came_to_and_all_together(day: Day) -> None:
    close(day)

    report = day.report()

    first, second = report["sessions"]
    assert by_currency(first["currencies"]) == {
        "USD": (14_300, 3_717, 643, 200, 531, 1_229, 15_814, 15_557, -257, 15_557)
    }
    assert by_currency(second["currencies"]) == {
        "EUR": (2_000, 3_000, 0, 0, 0, 0, 5_000, 5_000, 0, 5_000),
        "USD": (10_000, 0, 0, 0, 0, 0, 10_000, 10_100, 100, 10_100),
    }
    assert by_currency(report["totals"]) == {
        "EUR": (2_000, 3_000, 0, 0, 0, 0, 5_000, 5_000, 0, 5_000),
        "USD": (24_300, 3_717, 643, 200, 531, 1_229, 25_814, 25_657, -157, 25_657),
    }
    assert report["notClosed"] == []
    assert_books_are_right(day.hotel)


@pytest.mark.req("CASH-4", "CASH-5")
def test_names_who_had_it_who_counted_who_confirmed_and_who_answered(day: Day) -> None:
    close(day)
    assert day.karim.acknowledge().status_code == 200

    first, second = day.report()["sessions"]

    people = ("openedBy", "closedBy", "coSigner", "acknowledgedBy", "status", "result")
    assert [first[name] for name in people] == [
        "karim", "karim", "laila", "farid", "acknowledged", "discrepancy",
    ]  # fmt: skip
    assert first["explanation"] == "A note was torn"
    assert [second[name] for name in people] == [
        "nadia", "nadia", "laila", None, "closed", "discrepancy",
    ]  # fmt: skip
    assert (first["cashSessionId"], first["cashDrawerId"]) == (day.karim.session, day.karim.drawer)
    assert first["closedAt"] > first["openedAt"]


@pytest.mark.req("CASH-3", "BEY-1")
@pytest.mark.parametrize("blind", [True, False], ids=["blind", "not blind"])
def test_tells_no_more_of_a_drawer_that_is_not_closed_than_that_it_is_there(
    day: Day, blind: bool
) -> None:
    """Karim's count waits, Nadia's drawer is open: no amount stands in the report at all."""
    day.hotel.write_settings(blindCount=blind)
    assert day.karim.initiate(usd(15_557)).status_code == 200

    report = day.report()

    assert report == {
        "propertyId": str(day.hotel.property_id),
        "businessDate": day.date,
        "sessions": [],
        "notClosed": [
            {"cashSessionId": day.karim.session, "status": "pending_close"},
            {"cashSessionId": day.nadia.session, "status": "open"},
        ],
        "totals": [],
    }


@pytest.mark.req("CASH-3")
def test_sums_what_is_closed_and_not_what_is_beside_it(day: Day) -> None:
    count = [usd(10_000), eur(5_000)]
    day.nadia.initiate(*count)
    day.nadia.close(*count)

    report = day.report()

    assert [each["cashSessionId"] for each in report["sessions"]] == [day.nadia.session]
    assert report["sessions"][0]["result"] == "balanced"
    assert by_currency(report["totals"]) == by_currency(report["sessions"][0]["currencies"])
    assert report["notClosed"] == [{"cashSessionId": day.karim.session, "status": "open"}]


@pytest.mark.req("REP-1", "CASH-2", "MON-6")
def test_adds_up_to_the_ledger(day: Day) -> None:
    """What the ledger's accounts beside the drawers' moved is what the report says, per account."""
    close(day)

    totals = by_currency(day.report()["totals"])

    rows = day.hotel.rows(
        "SELECT currency, CASE WHEN debit_account LIKE 'cash:%' THEN credit_account"
        " ELSE debit_account END, sum(CASE WHEN debit_account LIKE 'cash:%' THEN amount_micro"
        " ELSE -amount_micro END)::bigint / 10000 FROM {s}.ledger_entries"
        " WHERE cash_session_id IS NOT NULL GROUP BY 1, 2"
    )
    ledger = {(currency, account): moved for currency, account, moved in rows}
    usd_, eur_ = (dict(zip(FIGURES, totals[code], strict=True)) for code in ("USD", "EUR"))
    assert ledger == {
        ("USD", "cash_safe"): usd_["opening"] - usd_["drops"] - usd_["turnedIn"],
        ("USD", "guest_ledger"): usd_["payments"] - usd_["refunds"],
        ("USD", "cash_paid_in"): usd_["paidIn"],
        ("USD", "cash_paid_out"): -usd_["paidOut"],
        ("USD", "cash_over_short"): usd_["variance"],
        ("EUR", "cash_safe"): eur_["opening"] - eur_["drops"] - eur_["turnedIn"],
        ("EUR", "fx_clearing"): eur_["payments"] - eur_["refunds"],
    }


@pytest.mark.req("REP-1", "CASH-3", "CASH-11")
def test_a_session_stands_on_the_date_on_which_it_was_opened(day: Day) -> None:
    """Nadia closes on the day after: everything of hers is on the date of her opening."""
    opened_on = date.fromisoformat(day.date)
    following = (opened_on + timedelta(days=1)).isoformat()
    house = day.hotel.house
    house.turn_clock(f"{following}T09:00:00+00:00")
    try:
        assert day.nadia.move("paid_out", usd(700)).status_code == 201
        count = [usd(9_300), eur(5_000)]
        day.nadia.initiate(*count)
        assert day.nadia.close(*count).status_code == 200
        report, next_report = day.report(), day.report(businessDate=following)
    finally:
        house.reset_clock()

    [session] = report["sessions"]
    assert by_currency(session["currencies"])["USD"] == (
        10_000, 0, 0, 0, 700, 0, 9_300, 9_300, 0, 9_300,
    )  # fmt: skip
    assert (next_report["sessions"], next_report["notClosed"]) == ([], [])


@pytest.mark.req("CASH-2")
def test_a_currency_that_was_not_counted_is_short_as_a_whole(day: Day) -> None:
    count = [usd(10_000)]
    day.nadia.initiate(*count)
    day.nadia.close(*count)

    [session] = day.report()["sessions"]

    assert by_currency(session["currencies"])["EUR"] == (
        2_000, 3_000, 0, 0, 0, 0, 5_000, 0, -5_000, 0,
    )  # fmt: skip


@pytest.mark.req("CASH-2")
def test_changes_nothing_and_says_the_same_again(day: Day) -> None:
    close(day)
    before = state(day.hotel)

    assert day.report() == day.report()

    assert state(day.hotel) == before


@pytest.mark.req("API-3", "API-6")
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"businessDate": "2026-03-01"}, "/propertyId"),
        ({"propertyId": str(uuid4())}, "/businessDate"),
        ({"propertyId": "7", "businessDate": "2026-03-01"}, "/propertyId"),
        ({"propertyId": str(uuid4()), "businessDate": "2026-02-30"}, "/businessDate"),
    ],
)
def test_refuses_what_names_no_day_of_a_property(
    hotel: Hotel, query: dict[str, str], pointer: str
) -> None:
    answer = hotel.get("/reports/cash", **query)

    assert_refused(answer, 400, GENERAL + "VALIDATION_FAILED")
    assert pointer in [each["pointer"] for each in answer.json["errors"]]


@pytest.mark.req("SEC-2", "SEC-3", "TEN-2")
def test_refuses_who_may_not_see_the_property(day: Day) -> None:
    """One that the caller has not, another tenant's and one that never was are alike unknown."""
    close(day)
    asked = {"propertyId": str(day.hotel.property_id), "businessDate": day.date}
    elsewhere, stranger = day.hotel.token(property_ids=[uuid4()]), day.hotel.house.new_hotel()

    for answer in (
        day.hotel.get("/reports/cash", token=elsewhere, **asked),
        stranger.get("/reports/cash", **asked),
        day.hotel.get("/reports/cash", **{**asked, "propertyId": str(uuid4())}),
    ):
        assert_refused(answer, 404, "PROPERTY_UNKNOWN")
    without = day.hotel.token("billing.cash_drawer.operate", "billing.folio.read")
    refused = day.hotel.get("/reports/cash", token=without, **asked)
    assert_refused(refused, 403, "MELMASTOON.IAM.SCOPE_MISSING")
