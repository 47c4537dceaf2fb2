"""The day at the till: a float, a guest's cash, a blind count, and two persons who sign it.

The clients of both work out what they let sign from what stands on their own screens; neither is
told what should be in the drawer before both have signed.
"""

from typing import Any, Final

from common.local.client import Answer, require
from common.local.day import Day, step, sub_of
from common.local.day_desk import balance, money, shown
from common.local.demo_hotel import KABUL, TENANT_ID
from common.runtime.step_up import context_of

FLOAT_CENTS: Final = 200_00
PAID_CENTS: Final = 50_00
TAXI_CENTS: Final = 12_00
COUNTED_CENTS: Final = 235_00
SHORT_CENTS: Final = 3_00
"""200.00 and 50.00 less 12.00 should be there: 238.00."""
COUNT: Final = [
    {
        "amount": money(COUNTED_CENTS),
        "denominations": [
            {"valueMicro": 100_000_000, "pieces": 1},
            {"valueMicro": 20_000_000, "pieces": 6},
            {"valueMicro": 5_000_000, "pieces": 3},
        ],
    }
]
OPERATE: Final = "billing.cash_drawer.operate"
CLOSE: Final = "billing.cash_drawer.close"
ACKNOWLEDGE: Final = "billing.cash_drawer.acknowledge_discrepancy"
CLOSING_ACTOR: Final = sub_of("reception (amina)")


@step("manager (yusuf)", "puts a cash drawer into use")
def drawer_is_made(day: Day, who: str) -> str:
    """A drawer says where cash is kept; how much is in it is counted each time."""
    body = {"propertyId": str(KABUL), "name": "Reception"}
    drawer = day.post(who, "/cash-drawers", body).expect(201).json
    day.left["drawer"] = drawer["cashDrawerId"]
    return f"201  {drawer['name']}"


@step("reception (amina)", "opens it with a float of 200.00 USD")
def drawer_is_opened(day: Day, who: str) -> str:
    """From now on it is not told how much is in it."""
    path = f"/cash-drawers/{day.left['drawer']}/sessions"
    session = day.post(who, path, {"opening": [{"amount": money(FLOAT_CENTS)}]}).expect(201).json
    require(session["expected"] is None, "the drawer is not counted blind")
    day.left["session"] = session["cashSessionId"]
    return "201  open; what should be in it is not told"


@step("reception (amina)", "takes 50.00 USD in cash for room 204")
def pays_in_cash(day: Day, who: str) -> str:
    """The folio and the drawer move in one transaction."""
    body = {"method": "cash", "amount": money(PAID_CENTS)}
    path = f"/folios/{day.rooms['204'].folio_id}/payments"
    answer = day.post(who, path, body).expect(201)
    return f"201  {balance(answer, 84_00)}"


@step("reception (amina)", "pays a guest's taxi out of the drawer")
def taxi_is_paid(day: Day, who: str) -> str:
    """Always with a reason."""
    body = {"kind": "paid_out", "amount": money(TAXI_CENTS), "reason": "Taxi for room 204"}
    answer = day.post(who, _path(day, "movements"), body).expect(201).json
    return f"201  {shown(answer['movement']['amount'])} paid out"


@step("reception (amina)", "counts the drawer blind, and signs the count")
def drawer_is_counted(day: Day, who: str) -> str:
    """By pieces: one hundred, six twenties, three fives."""
    day.left["signature"] = day.confirmed(who, OPERATE, _count_context(day))
    answer = _count(day, who).expect(200).json
    require(answer["status"] == "pending_close", f"it is {answer['status']}")
    require(answer["results"] is None, "what should be there is told")
    require(answer["countSha256"] == _count_context(day), "another count was signed")
    return f"200  {shown(money(COUNTED_CENTS))} counted; it waits for a second person"


@step("reception (amina)", "tries to confirm her own count")
def same_person_is_refused(day: Day, who: str) -> str:
    """Though she may close drawers: not one that she has counted."""
    signature = day.confirmed(who, CLOSE, _count_context(day))
    answer = _close(day, who, signature).expect(403, "CASH_SAME_PERSON")
    return f"403  {answer.json['code']}"


@step("reception (amina)", "sends the signature of her count once more")
def replay_is_refused(day: Day, who: str) -> str:
    """A signature counts once, whatever it comes with."""
    answer = _count(day, who).expect(403, "STEP_UP_REPLAY")
    return f"403  {answer.json['code']}"


@step("supervisor (nadia)", "confirms the count with her own signature")
def drawer_is_closed(day: Day, who: str) -> str:
    """Now, and not before, the count is held against what should be there."""
    signature = day.confirmed(who, CLOSE, _count_context(day))
    closed = _close(day, who, signature).expect(200).json
    (result,) = closed["results"]
    require(result["variance"] == money(-SHORT_CENTS), f"the variance is {result['variance']}")
    require(closed["result"] == "discrepancy", f"it is {closed['result']}")
    due, there = shown(result["expected"]), shown(result["counted"])
    return f"200  closed by two: {due} due, {there} there, {shown(money(SHORT_CENTS))} short"


@step("manager (yusuf)", "explains what is missing, as a third person")
def shortage_is_explained(day: Day, who: str) -> str:
    """The shortage is in the ledger; somebody answers for it."""
    session = day.get(who, f"/cash-sessions/{day.left['session']}").expect(200).json
    context = session["stepUpContexts"]["acknowledgeDiscrepancy"]
    body = {
        "explanation": "The taxi took 15.00, the slip says 12.00",
        "stepUpToken": day.confirmed(who, ACKNOWLEDGE, context),
    }
    answer = day.post(who, _path(day, "acknowledge-discrepancy"), body).expect(200).json
    return f"200  {answer['status']} by {answer['acknowledgedBy']}"


def _path(day: Day, what: str) -> str:
    return f"/cash-sessions/{day.left['session']}/{what}"


def _count_context(day: Day) -> str:
    """What both sign, as their clients work it out."""
    (part,) = COUNT
    return context_of(
        deed="cash_drawer.close",
        tenant=str(TENANT_ID),
        session=day.left["session"],
        closedBy=CLOSING_ACTOR,
        number=1,
        count=[{**money(COUNTED_CENTS), "denominations": part["denominations"]}],
    )


def _count(day: Day, who: str) -> Answer:
    body: dict[str, Any] = {"countNumber": 1, "count": COUNT}
    body["stepUpToken"] = day.left["signature"]
    return day.post(who, _path(day, "initiate-close"), body)


def _close(day: Day, who: str, signature: str) -> Answer:
    body = {
        "closedBy": CLOSING_ACTOR,
        "countNumber": 1,
        "count": COUNT,
        "stepUpToken": signature,
    }
    return day.post(who, _path(day, "close"), body)


OPENING_STEPS: Final = (drawer_is_made, drawer_is_opened, pays_in_cash, taxi_is_paid)
CLOSING_STEPS: Final = (
    drawer_is_counted,
    same_person_is_refused,
    replay_is_refused,
    drawer_is_closed,
    shortage_is_explained,
)
