"""The month's end: a charge is declined, tried again and given up, and another card makes it good.

Dunning is played as it was agreed for everybody: it is tried again one, three, five and seven days
after the first time; three days of grace later a last time, and then nobody is served any more.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from common.local.client import require
from common.local.day import Day, step
from common.local.day_desk import money, shown
from common.local.day_month import (
    A_MINUTE,
    OFFICE,
    OWNER,
    PRO_CENTS,
    TEAM_CENTS,
    heard,
    in_minutes,
    instant,
    invoices,
    leave_card,
    now_is,
    paid,
    path_of,
    revenue,
    utc_date,
)

RETRY_DAYS: Final = (1, 3, 5, 7)
LAST_DAY: Final = 10
INVOICES: Final = 3
MOVEMENTS: Final = {
    "new": PRO_CENTS,
    "expansion": TEAM_CENTS - PRO_CENTS,
    "contraction": 0,
    "churn": -TEAM_CENTS,
    "reactivation": TEAM_CENTS,
}
"""Cents a month: Pro, what Team is more, gone while it was suspended, and back."""


@step("card processor", "declines the 99.00 of it")
def charge_is_declined(day: Day, who: str) -> str:
    """She is served on; the next attempt is a day later."""
    found = in_minutes(day, "the first decline", lambda: _declined(day, 1))
    now_is(day, "past_due", 2)
    day.left["month"]["failing"] = instant(found["failingSince"])
    _must_be_next(day, found, RETRY_DAYS[0])
    return f"     past due; {_due_date(found)} is the next attempt"


@step("collection (job)", "tries it again, on four days")
def is_tried_again(day: Day, who: str) -> str:
    """Days after the first decline: 1, 3, 5 and 7, and declined on each."""
    for place, next_day in enumerate((*RETRY_DAYS[1:], LAST_DAY)):
        found = _dunned_on_its_day(day, 2 + place)
        _must_be_next(day, found, next_day)
        now_is(day, "past_due", 2)
    return f"     declined {found['failures']} times; {_due_date(found)} is the last attempt"


@step("collection (job)", "tries it a last time, and suspends her")
def is_suspended(day: Day, who: str) -> str:
    """Right after a charge that was declined, and not before."""
    found = _dunned_on_its_day(day, 2 + len(RETRY_DAYS))
    now_is(day, "suspended", 2)
    require(found["nextAttemptAt"] is None, f"it is tried again at {found['nextAttemptAt']}")
    days = (day.now() - day.left["month"]["failing"]).days
    require(days == LAST_DAY, f"it was day {days}")
    return f"     declined {found['failures']} times in {days} days; suspended"


@step("tenant service", "hears of it, and keeps her doors")
def doors_are_kept(day: Day, who: str) -> str:
    """By the event alone; what the house may do is read, and no more."""
    found = in_minutes(day, "subscription.suspended", lambda: heard(day, "suspended"))
    require(found["open"] is False, "the doors are open")
    access = _access(day)
    require(access == "read_only", f"her access is {access}")
    return f"204  {found['heard'][-1]}; access {access}"


@step(OWNER, "leaves a card that is good")
def good_card_is_left(day: Day, who: str) -> str:
    """What is open is charged to it at once."""
    return leave_card(day, "sandbox_visa")


@step("collection (job)", "charges it; she is served again")
def is_served_again(day: Day, who: str) -> str:
    """Payment at any time restores; the month that she paid for goes on."""
    invoice = in_minutes(day, "the second month's money", lambda: paid(day, INVOICES))
    now_is(day, "active", 2)
    found = _collection(day)
    require((found["failures"], found["nextAttemptAt"]) == (0, None), f"it is dunned: {found}")
    told = in_minutes(day, "subscription.reactivated", lambda: heard(day, "reactivated"))
    require(told["open"] is True, "the doors are closed")
    access = _access(day)
    require(access == "full", f"her access is {access}")
    return f"     {invoice['number']}: {shown(invoice['bill']['due'])} paid; access {access}"


@step(OWNER, "fetches the PDFs of the platform's invoices")
def platform_pdfs_are_drawn(day: Day, who: str) -> str:
    """Each is drawn when it is first asked for, and lies in the tenant's own store."""
    sizes = []
    for invoice in invoices(day):
        answer = day.get(who, f"/subscription-invoices/{invoice['invoiceId']}/pdf").expect(302)
        pdf = day.client.get(urlsplit(answer.headers["Location"]).path).expect(200).body
        require(pdf.startswith(b"%PDF-"), f"{invoice['number']} is no PDF")
        total = shown(invoice["bill"]["total"])
        day.platform_invoices.append((invoice["number"], total, day.where(pdf)))
        sizes.append(str(len(pdf)))
    return f"302  {', '.join(sizes)} bytes"


@step(OFFICE, "holds the month's revenue together")
def revenue_is_explained(day: Day, who: str) -> str:
    """What led from the worth before to that after, and which of it was this tenant's."""
    days = {"first": day.left["month"]["first"], "last": utc_date(day)}
    bridge = revenue(day, who, **days)["bridge"]
    before = day.left["month"]["worth"]
    require(bridge["opening"] == before, f"it began with {shown(bridge['opening'])}")
    require(bridge["unexplained"] == money(0), f"{shown(bridge['unexplained'])} are unexplained")
    moved = sum(bridge[name]["amountMicro"] for name in MOVEMENTS)
    rise = bridge["closing"]["amountMicro"] - before["amountMicro"]
    require(moved == rise, f"{moved} moved, and {rise} is the difference")
    for name, minor in MOVEMENTS.items():
        found = _moved(day, who, name, days)
        require(found == money(minor)["amountMicro"], f"{name}: {found} micro units were hers")
    day.left["month"]["worth"] = bridge["closing"]
    told = ", ".join(f"{name} {shown(money(minor))}" for name, minor in MOVEMENTS.items() if minor)
    return f"200  {shown(before)} and now {shown(bridge['closing'])}: {told}; unexplained 0.00 USD"


def _collection(day: Day) -> dict[str, Any]:
    return day.get(OWNER, f"{path_of(day)}/collection").expect(200).json


def _declined(day: Day, times: int) -> dict[str, Any] | None:
    """How it is collected, once it was declined so often. Raises WentOtherwise when it was more."""
    found = _collection(day)
    require(found["failures"] <= times, f"it was declined {found['failures']} times")
    return found if found["failures"] == times else None


def _dunned_on_its_day(day: Day, times: int) -> dict[str, Any]:
    """Sleep until the next attempt, and see it declined."""
    day.sleep_until(instant(_collection(day)["nextAttemptAt"]) + A_MINUTE)
    return in_minutes(day, f"decline {times}", lambda: _declined(day, times))


def _must_be_next(day: Day, found: dict[str, Any], days: int) -> None:
    """The next attempt is so many days after the first decline."""
    after = instant(found["nextAttemptAt"]) - day.left["month"]["failing"]
    require(after.days == days, f"the next attempt is {after} after the first decline")


def _due_date(found: dict[str, Any]) -> str:
    return f"{instant(found['nextAttemptAt']):%d %B}"


def _access(day: Day) -> str:
    tenant = day.left["month"]["tenant"]
    access: str = day.get(OWNER, f"/entitlements/{tenant}").expect(200).json["access"]
    return access


def _moved(day: Day, who: str, kind: str, days: dict[str, str]) -> int:
    """What the month's tenant moved of a figure, in micro units: all its rows, page by page."""
    tenant: str = day.left["month"]["tenant"]
    moved = 0
    cursor: dict[str, str] = {}
    while True:
        asked = {**days, "limit": 200, **cursor}
        page = day.get(who, f"/analytics/figures/{kind}", **asked).expect(200).json
        hers = [row["amount"] for row in page["items"] if row["tenantId"] == tenant]
        moved += sum(int(amount["amountMicro"]) for amount in hers)
        if page["nextCursor"] is None:
            return moved
        cursor = {"cursor": page["nextCursor"]}


STEPS: Final = (
    charge_is_declined,
    is_tried_again,
    is_suspended,
    doors_are_kept,
    good_card_is_left,
    is_served_again,
    platform_pdfs_are_drawn,
    revenue_is_explained,
)
