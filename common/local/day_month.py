"""A month of the platform with one tenant, behind the hotel's day: from a trial to a second month.

The clock is moved by weeks, and the jobs do by their schedules what is due then. The tenant is a
new one each time, as nobody has two trials; the house in Kabul sleeps through it. What the
platform's staff do is confirmed by a second factor, each deed on its own.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from time import sleep
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from common.local.client import POLL_SECONDS, Answer, WentOtherwise, require
from common.local.day import Day, step
from common.local.day_desk import money, shown
from common.runtime.step_up import context_of

OWNER: Final = "owner (parwana)"
ENGINE: Final = "her booking engine"
OFFICE: Final = "platform (roya)"
WRITE: Final = "platform.subscription.write"
WHY: Final = "As agreed by telephone"
HOUSE: Final = "Pamir Guesthouse"
DIGITS_AS_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
CREDIT_MICRO: Final = 1_000_000
PRO_CENTS, TEAM_CENTS = 29_00, 99_00
PRO_CREDITS, TEAM_CREDITS = 1_000, 5_000
TRIAL_DAYS, REMINDED_DAYS_BEFORE = 14, 3
DAYS_UNTIL_UPGRADE: Final = 10
AN_HOUR: Final = timedelta(hours=1)
A_MINUTE: Final = timedelta(minutes=1)
MINUTES_MAX: Final = 30
LOOKS_A_MINUTE: Final = 5
T = TypeVar("T")


@step("tenant service", f"tells of a new house, the {HOUSE}")
def house_is_new(day: Day, who: str) -> str:
    """Its home is made, and who it is; it has no property with us yet."""
    tenant, word = str(uuid4()), uuid4().hex.translate(DIGITS_AS_LETTERS)
    day.left["month"] = {"tenant": tenant, "device": f"device-{word}"}
    day.known_as[ENGINE] = {"tenantId": tenant, "propertyIds": []}
    day.known_as[OWNER] = {
        "sub": f"parwana-{word}",
        "tenantId": tenant,
        "propertyIds": [],
        "email": f"{word}@pamir.example",
    }
    issuer = {"name": HOUSE, "addressLines": ["Ishkashim Road", "Faizabad"], "country": "AF"}
    for event_type, data in (
        ("melmastoon.tenant.created.v1", {"tenantId": tenant}),
        ("melmastoon.tenant.settings.updated.v1", {"issuer": issuer, "properties": []}),
    ):
        day.neighbours.tell(event_type, data, UUID(tenant))
    return "204  events taken; the house has a home of its own"


@step(OFFICE, "looks what subscriptions are worth a month")
def worth_before(day: Day, who: str) -> str:
    """What there was when the day of UTC began: what days that were played before have left."""
    today = utc_date(day)
    before = revenue(day, who, today, today)["bridge"]["opening"]
    day.left["month"] |= {"first": today, "worth": before}
    return f"200  {shown(before)} a month"


@step(OWNER, "tries Pro, by an address that was verified")
def trial_begins(day: Day, who: str) -> str:
    """No role is needed; fourteen days and a month's credits, and nothing is due."""
    subscription = _try(day, who).expect(201).json["subscription"]
    require(subscription["status"] == "trialing", f"it is {subscription['status']}")
    start, end = (instant(subscription["period"][name]) for name in ("start", "end"))
    require(end - start == timedelta(days=TRIAL_DAYS), f"it ends at {end}")
    found = credits_of(day)
    require(found == PRO_CREDITS, f"it has {found} credits")
    day.left["month"]["ends"] = end
    return f"201  {subscription['status']} until {end:%d %B}, with {found:,} credits"


@step(OWNER, "would like to try it once more")
def no_second_trial(day: Day, who: str) -> str:
    """One for an account, a house, a mailbox, a device and a card."""
    return f"409  {_try(day, who).expect(409, 'TRIAL_USED').json['code']}"


@step(ENGINE, "tells what was used, and a part of it twice")
def usage_is_told(day: Day, who: str) -> str:
    """An event counts once for its meter, whoever sends it again."""
    at = day.now().isoformat()
    events = [
        {
            "meter": "ai_requests",
            "eventId": f"request-{uuid4().hex.translate(DIGITS_AS_LETTERS)}",
            "occurredAt": at,
        }
        for _ in range(3)
    ]
    counted = [
        day.post(who, "/usage/batch", {"events": sent}).expect(200).json["counted"]
        for sent in (events, events[:2])
    ]
    require(counted == [3, 0], f"{counted} counted")
    (used,) = day.get(who, "/usage").expect(200).json["items"]
    require((used["meter"], used["quantity"]) == ("ai_requests", 3), f"there is {used}")
    return f"200  {used['quantity']} requests, though five were told"


@step(OWNER, "leaves a card, to be charged when it is over")
def card_is_left(day: Day, who: str) -> str:
    """As a token; the platform's staff name it for the subscription."""
    return leave_card(day, "sandbox_visa")


@step("trials (job)", "reminds her three days before the end")
def is_reminded(day: Day, who: str) -> str:
    """The event says that it will cost something then, as there is a card."""
    ends = day.left["month"]["ends"]
    day.sleep_until(ends - timedelta(days=REMINDED_DAYS_BEFORE) + AN_HOUR)
    in_minutes(day, "the reminder", lambda: heard(day, "trial_will_end"))
    return "     melmastoon.billing.subscription.trial_will_end.v1"


@step("cycle (job)", "lets the trial go over to the first month")
def trial_converts(day: Day, who: str) -> str:
    """29.00 in advance; the cycle writes the invoice, and two other jobs see to its money."""
    day.sleep_until(day.left["month"]["ends"] + AN_HOUR)
    invoice = in_minutes(day, "the first invoice's money", lambda: paid(day, 1))
    now_is(day, "active", 1)
    require(invoice["bill"]["due"] == money(PRO_CENTS), f"it is {invoice['bill']['due']}")
    found = credits_of(day)
    require(found == PRO_CREDITS, f"there are {found} credits")
    return f"     {invoice['number']}: {shown(invoice['bill']['due'])} paid; {found:,} credits"


@step(OFFICE, "asks what Team would cost for the rest of it")
def change_is_quoted(day: Day, who: str) -> str:
    """A preview changes nothing, and needs nobody's confirmation. What Team is more, 70.00, is
    asked for the part of the month that is left, to a cent."""
    day.sleep_until(day.left["month"]["ends"] + timedelta(days=DAYS_UNTIL_UPGRADE))
    asked = {"plan": "team", "reason": WHY}
    quoted = day.put(who, f"{path_of(day)}?preview=true", asked).expect(200).json
    due, period = quoted["bill"]["due"], current(day)["period"]
    start, end = (instant(period[name]) for name in ("start", "end"))
    cents = (TEAM_CENTS - PRO_CENTS) * ((end - day.now()) / (end - start))
    require(abs(due["amountMicro"] // 10_000 - cents) <= 1, f"it would be {shown(due)}")
    require(quoted["invoice"] is None, "there is an invoice of it")
    require(current(day)["terms"]["plan"] == "pro", "the plan is another one already")
    day.left["month"]["quoted"] = quoted
    return f"200  {shown(due)}; nothing is changed"


@step(OFFICE, "changes to it, by that quote")
def change_is_made(day: Day, who: str) -> str:
    """What is charged is what was quoted, to the micro, or nothing is."""
    quoted = day.left["month"]["quoted"]
    body = {"plan": "team", "reason": WHY, "quoteToken": quoted["quoteToken"]}
    made = by_staff(day, "subscription.change", path_of(day), body).expect(200).json
    require(made["bill"] == quoted["bill"], f"{made['bill']} is no {quoted['bill']}")
    require(made["invoice"]["bill"] == quoted["bill"], "the invoice is about something else")
    require(made["subscription"]["terms"]["plan"] == "team", "the plan is the one before")
    return f"200  {made['invoice']['number']}: {shown(made['bill']['due'])}, as was quoted"


@step("collection (job)", "charges it to her card")
def change_is_paid(day: Day, who: str) -> str:
    """By what the processor said; all of it is paid by then."""
    invoice = in_minutes(day, "the change's money", lambda: paid(day, 2))
    due = invoice["bill"]["due"]
    require(due == day.left["month"]["quoted"]["bill"]["due"], f"{shown(due)} were taken")
    return f"     {invoice['number']} is {invoice['status']}"


@step(OWNER, "leaves another card instead; it is a bad one")
def bad_card_is_left(day: Day, who: str) -> str:
    """That it will be declined nobody can see before it is charged."""
    return leave_card(day, "sandbox_declined")


@step("cycle (job)", "begins the second month")
def month_is_renewed(day: Day, who: str) -> str:
    """99.00 for Team, and its 5,000 credits, once."""
    before = credits_of(day)
    day.sleep_until(instant(current(day)["period"]["end"]) + AN_HOUR)
    invoice = in_minutes(day, "the second month", lambda: of_period(day, 2))
    require(invoice["bill"]["due"] == money(TEAM_CENTS), f"it is {invoice['bill']['due']}")
    came = credits_of(day) - before
    require(came == TEAM_CREDITS, f"{came} credits came")
    return f"     {invoice['number']}: {shown(invoice['bill']['due'])}; {came:,} credits came"


def by_staff(day: Day, deed: str, path: str, body: dict[str, Any]) -> Answer:
    """Somebody of the platform puts something, with a second factor for that and nothing else."""
    tenant = day.left["month"]["tenant"]
    context = context_of(deed=deed, tenant=tenant, request=body)
    sent = {**body, "stepUpToken": day.confirmed(OFFICE, WRITE, context)}
    return day.put(OFFICE, path, sent)


def leave_card(day: Day, kind: str) -> str:
    """The owner keeps a card that behaves so, and the subscription is charged to it from now on."""
    month = day.left["month"]
    if "customer" not in month:
        body = {"email": day.known_as[OWNER]["email"], "name": HOUSE}
        month["customer"] = day.post(OWNER, "/customers", body).expect(201).json["customerId"]
    token = f"{kind}_{uuid4().hex[:20].translate(DIGITS_AS_LETTERS)}"
    path = f"/customers/{month['customer']}/payment-methods"
    kept = day.post(OWNER, path, {"token": token, "purpose": "platform_bills"}).expect(201).json
    chosen = {"paymentMethodId": kept["paymentMethodId"]}
    answer = by_staff(
        day, "subscription.payment_method", f"{path_of(day)}/payment-method", chosen
    ).expect(200)
    require(
        answer.json["paymentMethodId"] == kept["paymentMethodId"], "it is charged to another one"
    )
    return f"201  {kept['brand']}, ending in {kept['lastFour']}"


def path_of(day: Day) -> str:
    """Where the subscription of the month's tenant is."""
    return f"/subscriptions/{day.left['month']['tenant']}"


def current(day: Day) -> dict[str, Any]:
    """The subscription, as its own tenant reads it."""
    found: dict[str, Any] = day.get(OWNER, path_of(day)).expect(200).json["subscription"]
    return found


def now_is(day: Day, status: str, number: int) -> None:
    """The subscription has to be in this state, in the period of this number."""
    found = current(day)
    state = (found["status"], found["periodNumber"])
    require(state == (status, number), f"it is {state[0]}, in period {state[1]}")


def invoices(day: Day) -> list[dict[str, Any]]:
    """The platform's invoices to the month's tenant, in their order."""
    found: list[dict[str, Any]] = day.get(OWNER, "/subscription-invoices").expect(200).json["items"]
    return found


def paid(day: Day, count: int) -> dict[str, Any] | None:
    """The last of so many invoices, when all of them are paid."""
    found = invoices(day)
    if len(found) != count or any(each["status"] != "paid" for each in found):
        return None
    return found[-1]


def of_period(day: Day, number: int) -> dict[str, Any] | None:
    """The invoice that a period was begun with, when there is one."""
    begun = (each for each in invoices(day) if each["bill"]["purpose"] == "period")
    return next((each for each in begun if each["bill"]["periodNumber"] == number), None)


def credits_of(day: Day) -> int:
    """What the month's tenant can spend, in whole credits."""
    available: int = day.get(OWNER, "/credits/balance").expect(200).json["availableMicro"]
    return available // CREDIT_MICRO


def heard(day: Day, fact: str) -> dict[str, Any] | None:
    """What the tenant service knows of the month's tenant by events alone, once it has heard of a
    fact of the subscription."""
    answer = day.client.get(f"/dev/doors/{day.left['month']['tenant']}")
    if answer.status == 404:
        return None
    found = answer.expect(200).json
    return found if f"melmastoon.billing.subscription.{fact}.v1" in found["heard"] else None


def revenue(day: Day, who: str, first: str, last: str) -> dict[str, Any]:
    """The platform's revenue of some days, in dollars; nought where there never was any."""
    answer = day.get(who, "/analytics/revenue", first=first, last=last).expect(200)
    found = (each for each in answer.json["currencies"] if each["currency"] == "USD")
    return next(found, {"bridge": {"opening": money(0)}})


def utc_date(day: Day) -> str:
    """The day of UTC, which the platform's figures go by."""
    return instant(day.client.get("/dev/clock").expect(200).json["now"]).date().isoformat()


def instant(text: str) -> datetime:
    """An instant of the wire."""
    return datetime.fromisoformat(text)


def in_minutes(day: Day, what: str, look: Callable[[], T | None]) -> T:
    """Let minutes pass until there is something: one job's work is another's of the next minute.

    Raises WentOtherwise.
    """
    for _ in range(MINUTES_MAX):
        for _ in range(LOOKS_A_MINUTE):
            found = look()
            if found is not None:
                return found
            sleep(POLL_SECONDS)
        day.client.post("/dev/clock", {"moveSeconds": 60}).expect(200)
    raise WentOtherwise(f"{what} did not come within {MINUTES_MAX} minutes")


def _try(day: Day, who: str) -> Answer:
    asked = {"plan": "pro", "timeZone": "Asia/Kabul", "device": day.left["month"]["device"]}
    return day.post(who, "/trials", asked)


STEPS: Final = (
    house_is_new,
    worth_before,
    trial_begins,
    no_second_trial,
    usage_is_told,
    card_is_left,
    is_reminded,
    trial_converts,
    change_is_quoted,
    change_is_made,
    change_is_paid,
    bad_card_is_left,
    month_is_renewed,
)
