"""The platform's revenue: what it was on any day, and what led from one day to another (ANA-1)."""

import csv
from collections.abc import Callable
from datetime import datetime

import pytest

from jobs.bill_late_usage import bill_late_usage
from tests.analysing import Document, asked, figures, money, movements, published, rows
from tests.buying import card
from tests.charging import choose, collect, last_charge
from tests.hotel import Hotel, House, usd
from tests.metering import price, priced, send, used
from tests.paying import run_job
from tests.platform_taxing import nobody_sells
from tests.prepaying import deduct
from tests.proofs import assert_books_are_right, assert_refused
from tests.redeeming import owing, redeemed
from tests.refunding import refund
from tests.subscribing import act, change, run_cycle, subscribed
from tests.trialing import tried
from tests.trust.books import broken
from tests.webhooks import Webhook, disputed, refunded_there

pytestmark = pytest.mark.req("ANA-1", "ANA-2", "BEY-15")
Clock = Callable[[str], None]
JANUARY = ("2040-01-01", "2040-01-31")
YEARLY = 8_333_333
"""A twelfth of 100.00, in whole micro units."""


@pytest.fixture(autouse=True)
def untaxed(house: House) -> None:
    """The platform's tax rules are everybody's: those of other tests tax nobody here."""
    nobody_sells(house)


def test_its_movements_add_up_and_a_day_of_the_past_stays_as_it_was(
    house: House, hotel: Hotel, clock: Clock
) -> None:
    """Small is 30.00 a month or 100.00 a year, big 90.00. January: the first subscribes (30.00),
    the second for a year (8.333333); the first changes to big (+60.00) and back (-60.00), the
    second ends (-8.333333): 30.00 are left. In February it comes back for a month (+30.00).

    Invoiced by 1 February: fees of 130.00. Of 31 days, 9 at 30.00, 10 at 90.00 and 12 at 30.00 come
    to 49.35: 19.35 of proration. The first has earned its 49.35 with the end of 1 February.
    """
    it, other = "BBD", house.new_hotel()
    clock("2040-01-01T00:00:30+00:00")
    plans = published(hotel, it, small=(3_000, 10_000), big=(9_000, 90_000))
    subscribed(hotel, plans["small"])
    clock("2040-01-05T00:00:30+00:00")
    second = subscribed(other, plans["small"], interval="year")["subscription"]["period"]
    clock("2040-01-10T00:00:30+00:00")
    assert change(hotel, plan=plans["big"]).status_code == 200
    clock("2040-01-16T00:00:30+00:00")
    then = [asked(hotel, path, "2040-01-03", "2040-01-14").json for path in PATHS]
    clock("2040-01-20T00:00:30+00:00")
    assert change(hotel, plan=plans["small"]).status_code == 200
    clock("2040-01-25T00:00:30+00:00")
    assert act(other, "cancel", at="now").status_code == 200
    clock("2040-02-02T12:00:00+00:00")
    subscribed(other, plans["small"])

    january = figures(hotel, "revenue", *JANUARY, it)
    bridge = {name: part["amountMicro"] for name, part in january["bridge"].items()}
    assert bridge == {
        "opening": 0,
        "new": 30_000_000 + YEARLY,
        "expansion": 60_000_000,
        "contraction": -60_000_000,
        "churn": -YEARLY,
        "reactivation": 0,
        "closing": 30_000_000,
        "unexplained": 0,
    }
    assert [january[name] for name in ("mrr", "arr", "arpu")] == [
        money(cents, it) for cents in (3_000, 36_000, 3_000)
    ]
    february = figures(hotel, "revenue", "2040-02-01", "2040-02-02", it)
    assert [february["bridge"][name] for name in ("opening", "reactivation", "closing")] == [
        money(cents, it) for cents in (3_000, 3_000, 6_000)
    ]
    assert [asked(hotel, path, "2040-01-03", "2040-01-14").json for path in PATHS] == then
    assert then[0]["isFinal"]

    assert_earned(figures(hotel, "revenue", "2040-01-01", "2040-02-01", it), second)

    debts = figures(hotel, "revenue", "2040-01-01", "2040-01-05", it)["debts"]
    assert [debts[name] for name in DEBTS] == [
        money(cents, it) for cents in (13_000, 3_000, 3_000, 0)
    ]
    assert [len(rows(hotel, name, *JANUARY, it)) for name in ("new", "churn", "mrr")] == [2, 1, 1]
    for figure, part in (("outstanding", "debts"), ("overdue", "debts"), ("new", "bridge")):
        listed = rows(hotel, figure, *JANUARY, it)
        assert (
            sum(row["amount"]["amountMicro"] for row in listed)
            == (january[part][figure]["amountMicro"])
        )
    for each in (hotel, other):
        assert_books_are_right(each)
        assert broken(each) == []


def assert_earned(found: Document, second: Document) -> None:
    """What was invoiced and earned until the end of 1 February; `second` is the year's period."""
    month = found["recognition"]
    sums = {name: part["amountMicro"] // 10_000 for name, part in month.items()}
    assert [sums[name] for name in ("fees", "prorations", "usage")] == [13_000, 1_935, 0]
    assert (sums["invoiced"], sums["deferredBefore"], sums["unexplained"]) == (14_935, 0, 0)
    start, end = (datetime.fromisoformat(second[name]) for name in ("start", "end"))
    passed = (datetime.fromisoformat("2040-02-02T00:00:00+00:00") - start).total_seconds()
    earned = round(100_000_000 * passed / (end - start).total_seconds())
    assert month["earned"]["amountMicro"] == 49_350_000 + earned
    assert month["deferredAfter"]["amountMicro"] == 100_000_000 - earned


PATHS = ("revenue", "subscriptions", "credits", "figures/mrr", "figures/outstanding")
DEBTS = ("outstanding", "overdue", "neverCharged", "notRetried")


def test_what_is_lost_is_told_with_what_a_customer_is_worth(
    house: House, hotel: Hotel, clock: Clock
) -> None:
    """Two customers of 30.00 on 1 June, of which one is paused in these thirty days: half of the
    customers and half of the revenue. One that stays pays 30.00 a month, and half of all are lost
    in 2,592,000 seconds, of which a month has 2,629,746: 30.00 x 2 x 2592000 / 2629746 = 59.138791.
    """
    it, other = "BZD", house.new_hotel()
    clock("2041-05-20T00:00:30+00:00")
    plans = published(hotel, it, small=(3_000, 10_000))
    for each in (hotel, other):
        subscribed(each, plans["small"])
    clock("2041-06-10T00:00:30+00:00")
    assert act(other, "pause").status_code == 200
    clock("2041-07-02T00:00:30+00:00")

    found = figures(hotel, "subscriptions", "2041-06-01", "2041-06-30", it)

    assert [found[name] for name in ("before", "after", "lost")] == [2, 1, 1]
    assert (found["logoChurn"], found["revenueChurn"]) == (5_000, 5_000)
    assert found["lifetimeValue"]["amountMicro"] == 59_138_791
    assert act(other, "resume").status_code == 200
    assert movements(other) == [
        ["new", 30_000_000, 30_000_000],
        ["churn", -30_000_000, 0],
        ["reactivation", 30_000_000, 30_000_000],
    ]


def test_a_debt_is_owed_until_the_day_that_it_was_paid(hotel: Hotel, clock: Clock) -> None:
    """30.00 of 1 April are declined on that day, and paid by another card on the 3rd."""
    it = "BSD"
    clock("2046-04-01T00:00:30+00:00")
    plans = published(hotel, it, small=(3_000, 10_000))
    subscribed(hotel, plans["small"], paymentMethodId=card(hotel, "sandbox_declined"))
    collect(hotel)
    clock("2046-04-03T12:00:00+00:00")
    assert choose(hotel, card(hotel)).status_code == 200
    collect(hotel)
    clock("2046-04-05T00:00:30+00:00")

    owed, none = money(3_000, it), money(0, it)
    before, after = (figures(hotel, "revenue", "2046-04-01", f"2046-04-0{d}", it) for d in (2, 4))

    cents = [before["debts"][name]["amountMicro"] // 10_000 for name in DEBTS]
    assert cents == [3_000, 3_000, 0, 0]
    assert before["dunning"] == {"declined": owed, "recovered": none, "recovery": 0}
    assert after["debts"]["outstanding"] == none
    assert after["dunning"] == {"declined": owed, "recovered": owed, "recovery": 10_000}
    assert len(rows(hotel, "dunned", "2046-04-01", "2046-04-02", it)) == 1
    assert rows(hotel, "recovered", "2046-04-01", "2046-04-02", it) == []


def test_what_a_late_cycle_finds_is_of_the_day_that_it_ran(hotel: Hotel, clock: Clock) -> None:
    """It ends with 1 June, and the cycle finds that on 3 June: on the 2nd nobody knew."""
    it = "BMD"
    clock("2047-05-01T00:00:30+00:00")
    subscribed(hotel, published(hotel, it, small=(3_000, 10_000))["small"])
    assert act(hotel, "cancel").status_code == 200
    clock("2047-06-03T00:00:30+00:00")
    assert run_cycle(hotel).done == 1
    clock("2047-06-05T00:00:30+00:00")

    known, found = (
        figures(hotel, "revenue", first, last, it)["bridge"]
        for first, last in (("2047-06-01", "2047-06-02"), ("2047-06-03", "2047-06-03"))
    )

    assert (known["churn"], known["closing"]) == (money(0, it), money(3_000, it))
    assert (found["churn"], found["closing"]) == (money(-3_000, it), money(0, it))
    assert found["unexplained"] == known["unexplained"] == money(0, it)


def test_usage_that_came_late_leaks_until_it_is_invoiced(hotel: Hotel, clock: Clock) -> None:
    """Of July 9 tokens at 0.015 (0.135, so 0.14) come in time, on 3 August 100 (109 are 1.635, so
    1.64: 1.50 more), on 10 August 1 (1.65: 1.51 more), and are on the invoice of 1 September."""
    clock("2048-07-01T00:00:30+00:00")
    subscribed(hotel, priced(hotel, price("ai_tokens", 15_000)))
    told = [("07-21", 9), ("08-03", 100), ("08-10", 1)]
    for day, quantity in told:
        clock(f"2048-{day}T00:10:00+00:00")
        if day == "08-03":
            assert run_cycle(hotel).done == 1
        assert send(hotel, used("ai_tokens", quantity, "2048-07-20T00:00:00Z")).status_code < 300
    clock("2048-08-31T00:10:00+00:00")
    then = leaks(hotel, "2048-08-30")
    clock("2048-09-01T00:10:00+00:00")
    assert run_cycle(hotel).done == 1
    clock("2048-09-03T00:00:30+00:00")

    days = ("07-31", "08-02", "08-03", "08-09", "08-10", "08-30", "09-01")
    found = [leaks(hotel, f"2048-{day}") for day in days]

    a_hundred, one_more = (1, 1, [150, "ai_tokens", 1]), (2, 2, [151, "ai_tokens", 1])
    nothing = (0, 0, [])
    assert found == [nothing, nothing, a_hundred, a_hundred, one_more, one_more, nothing]
    assert then == one_more
    assert leaks(hotel, "2048-09-01") == nothing


def test_what_is_told_of_a_subscription_that_ended_leaks_until_its_final_invoice(
    hotel: Hotel, clock: Clock
) -> None:
    """Ended on 10 July with nothing used, 2 users at 2.00 are told of on the 12th and one more on
    the 14th: 4.00, and 6.00 until it is billed, 34 days after the end. What has no price leaks
    nothing."""
    clock("2047-07-01T00:00:30+00:00")
    subscribed(hotel, priced(hotel, price("active_users", 2_000_000)))
    clock("2047-07-10T00:00:30+00:00")
    assert act(hotel, "cancel", at="now").status_code == 200
    clock("2047-07-12T00:00:30+00:00")
    for name in "aabc":
        if name == "c":
            clock("2047-07-14T00:00:30+00:00")
        told = used("active_users", None, "2047-07-05T00:00:00Z", value=name)
        assert send(hotel, told).status_code < 300
    assert send(hotel, used("ai_tokens", 7, "2047-07-05T00:00:00Z")).status_code < 300
    clock("2047-08-13T00:10:00+00:00")
    assert run_job(hotel, bill_late_usage).exit_code == 0
    clock("2047-08-15T00:00:30+00:00")

    found = [leaks(hotel, f"2047-{day}") for day in ("07-11", "07-13", "08-12", "08-13")]

    two, three = (3, 3, [400, "active_users", 1]), (4, 4, [600, "active_users", 1])
    assert found == [(0, 0, []), two, three, (0, 0, [])]
    assert broken(hotel) == []


def leaks(hotel: Hotel, last: str) -> tuple[int, int, list[object]]:
    """By the end of a day: the events of late usage, its records, and the hotel's row: how much,
    of which meter, of which period. The rows come to the figure."""
    first = f"{last[:4]}-01-01"
    whole = asked(hotel, "revenue", first, last).json
    figure = next((part for part in whole["currencies"] if part["currency"] == "USD"), None)
    listed = rows(hotel, "late_usage", first, last, "USD")
    amounts = [row["amount"]["amountMicro"] for row in listed]
    assert sum(amounts) == (figure["lateUsage"]["amountMicro"] if figure else 0)
    mine = [row for row in listed if row["tenantId"] == str(hotel.tenant_id)]
    records = asked(hotel, "figures/usage_not_invoiced", first, last, limit="200").json["items"]
    return (
        whole["usageNotInvoiced"],
        len([row for row in records if row["tenantId"] == str(hotel.tenant_id)]),
        [row["amount"]["amountMicro"] // 10_000 for row in mine]
        + [row[name] for row in mine for name in ("meter", "usagePeriod")],
    )


def test_a_trial_is_worth_nothing_and_counts_when_it_has_ended(hotel: Hotel, clock: Clock) -> None:
    """It ends on 15 March; without a payment method it is followed by nothing."""
    clock("2042-03-01T00:00:30+00:00")
    tried(hotel)
    clock("2042-03-16T00:00:30+00:00")
    run_cycle(hotel)
    march = ("2042-03-01", "2042-03-15")

    trials = asked(hotel, "subscriptions", *march).json["trials"]

    assert trials == {"began": 1, "ended": 1, "converted": 0, "conversion": 0}
    [row] = asked(hotel, "figures/trials_ended", *march).json["items"]
    assert (row["tenantId"], row["amount"]) == (str(hotel.tenant_id), None)
    assert movements(hotel) == []


def test_figures_are_a_table_for_a_spreadsheet(hotel: Hotel, clock: Clock) -> None:
    it = "FJD"
    clock("2043-01-01T00:00:30+00:00")
    subscribed(hotel, published(hotel, it, small=(3_000, 10_000))["small"])
    clock("2043-02-01T00:00:30+00:00")
    days = ("2043-01-01", "2043-01-31")

    revenue, customers, behind = (
        asked(hotel, path, *days, headers={"Accept": "text/csv"})
        for path in ("revenue", "subscriptions", "figures/new")
    )

    lines = list(csv.reader(revenue.data.decode("utf-8-sig").splitlines()))
    assert lines[0] == ["first", "last", "currency", "part", "figure", "value"]
    assert [*days, it, "", "arr", "360.00"] in lines
    assert [*days, it, "bridge", "new", "30.00"] in lines
    lines = list(csv.reader(customers.data.decode("utf-8-sig").splitlines()))
    assert [*days, it, "", "after", "1"] in lines
    lines = list(csv.reader(behind.data.decode("utf-8-sig").splitlines()))
    assert [line[5] for line in lines if line[0] == str(hotel.tenant_id)] == ["30.00"]


def test_refuses_days_that_are_none(hotel: Hotel, clock: Clock) -> None:
    clock("2044-01-01T00:00:30+00:00")

    for first, last in (("2043-02-02", "2043-02-01"), ("2044-01-02", "2044-01-03")):
        for path in PATHS:
            assert_refused(asked(hotel, path, first, last), 422, "PERIOD_INVALID")


@pytest.mark.req("TEN-3")
def test_shows_nothing_to_who_only_reads_their_own_subscription(hotel: Hotel) -> None:
    token = hotel.token("subscription.read", "billing.report.read")

    for path in PATHS:
        assert asked(hotel, path, *JANUARY, token=token).status_code == 403


def test_credits_are_told_by_tenant_and_in_all(hotel: Hotel, clock: Clock) -> None:
    """1,000 of a plan are granted on 1 March, 30 are consumed on 2 March and 5 on 3 March.

    On that day 400 settle 4.00 of a bill, of which 1.00 comes back: 300 are owed to the house, and
    stand in its ledger as 3.00 from that day on.
    """
    clock("2045-03-01T00:00:30+00:00")
    subscribed(hotel, "pro")
    for day, credits in (("02", 30), ("03", 5)):
        clock(f"2045-03-{day}T00:00:30+00:00")
        assert deduct(hotel, credits).status_code < 300
    folio = owing(hotel)
    refund(hotel, folio, redeemed(hotel, folio, 4), usd(100), reference=None)
    clock("2045-03-05T00:00:30+00:00")

    found = asked(hotel, "credits", "2045-03-01", "2045-03-02").json

    [mine] = [each for each in found["tenants"] if each["tenantId"] == str(hotel.tenant_id)]
    assert (mine["grantedMicro"], mine["consumedMicro"]) == (1_000_000_000, 30_000_000)
    assert found["consumedMicro"] == sum(each["consumedMicro"] for each in found["tenants"])
    table = asked(hotel, "credits", "2045-03-03", "2045-03-04", headers={"Accept": "text/csv"})
    lines = list(csv.reader(table.data.decode("utf-8-sig").splitlines()))
    assert [line[5] for line in lines if line[3] == str(hotel.tenant_id)] == ["5000000"]
    assert [line[9] for line in lines if line[3] == str(hotel.tenant_id)] == ["300000000"]
    later = asked(hotel, "credits", "2045-03-03", "2045-03-04").json
    mine = [each for each in later["owedToHouses"] if each["tenantId"] == str(hotel.tenant_id)]
    assert [(each["propertyId"], each["amount"]) for each in mine] == [
        (str(hotel.property_id), usd(300))
    ]
    assert str(hotel.tenant_id) not in str(found["owedToHouses"])


def test_what_goes_back_is_told_beside_what_was_invoiced(hotel: Hotel, clock: Clock) -> None:
    """30.00 of 1 May; 12.00 are given back on the 3rd, and a bank asks for 5.00 on the 4th and has
    them on the 6th. What was invoiced stays explained by its lines; nobody taxes it."""
    it = "BND"
    clock("2049-05-01T00:00:30+00:00")
    plans = published(hotel, it, small=(3_000, 10_000))
    subscribed(hotel, plans["small"], paymentMethodId=card(hotel))
    collect(hotel)
    payment = f"sandbox_pi_{last_charge(hotel).removeprefix('pin_')}"
    for day, told in (
        (3, refunded_there(payment, "re_1", 1_200)),
        (4, disputed(payment, "dp_1", "needs_response", cents=500)),
        (6, disputed(payment, "dp_1", "lost", cents=500)),
    ):
        clock(f"2049-05-0{day}T00:00:30+00:00")
        told["data"]["object"]["currency"] = it.lower()
        assert Webhook(hotel).send(told).json["outcome"] == "applied"
    clock("2049-05-08T00:00:30+00:00")

    two, five, seven = (
        figures(hotel, "revenue", "2049-05-01", f"2049-05-0{day}", it) for day in (2, 5, 7)
    )

    gone = [
        [found["reversals"][name]["amountMicro"] // 10_000 for name in found["reversals"]]
        for found in (two, five, seven)
    ]
    assert gone == [[0, 0, 0], [1_200, 500, 0], [1_200, 0, 500]]
    assert two["untaxed"] == seven["untaxed"] == money(3_000, it)
    assert seven["recognition"]["invoiced"] == money(3_000, it)
    assert seven["recognition"]["unexplained"] == money(0, it)
    assert seven["debts"]["outstanding"] == money(0, it)
    (note,) = rows(hotel, "refunded", "2049-05-01", "2049-05-07", it)
    assert note["amount"] == money(1_200, it)
    (untaxed,) = rows(hotel, "untaxed", "2049-05-01", "2049-05-07", it)
    assert untaxed["amount"] == money(3_000, it)
    assert broken(hotel) == []
