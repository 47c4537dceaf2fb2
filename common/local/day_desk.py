"""The day's first half: guests come, consume, are charged and pay."""

from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from common.local.client import Answer, require, wait_for
from common.local.day import Day, Room, step
from common.local.demo_hotel import KABUL

EURO_CENTS: Final = 77_40
"""At the pinned 1.0852 they are 83.99 USD (83.99448): one cent of 84.00 is left by conversion."""


def money(minor: int, currency: str = "USD") -> dict[str, Any]:
    """An amount of cents as it is written on the wire."""
    return {"amountMicro": minor * 10_000, "currency": currency}


def shown(amount: dict[str, Any]) -> str:
    """An amount of the wire for people: 134.00 USD."""
    minor = amount["amountMicro"] // 10_000
    sign, whole, rest = "-" if minor < 0 else "", abs(minor) // 100, abs(minor) % 100
    return f"{sign}{whole}.{rest:02} {amount['currency']}"


def balance(answer: Answer, minor: int) -> str:
    """The balance that was answered, which has to be this one."""
    found = answer.json["balance"]
    require(found == money(minor), f"the balance is {shown(found)}, not {shown(money(minor))}")
    return f"balance {shown(found)}"


def lines(answer: Answer, *minor: int) -> str:
    """The lines that were posted, which have to come to these amounts: a price and its taxes."""
    found = [line["amount"] for line in answer.json["lines"]]
    expected = [money(each) for each in minor]
    told = " + ".join(shown(each)[:-4] for each in found)
    asked = " + ".join(shown(each)[:-4] for each in expected)
    require(found == expected, f"{told} were posted, not {asked}")
    return told


@step("load balancer", "asks whether the service is ready")
def is_ready(day: Day, who: str) -> str:
    """The database is up and migrated."""
    state = day.client.get("/health/ready").expect(200).json
    require(state["ready"] is True, f"it is not: {state}")
    return f"200  database {state['database']}, schema version {state['schemaVersion']}"


@step("reservations", "tell of a confirmed stay in room 204")
def reservation_comes(day: Day, who: str) -> str:
    """An event opens the folio; nobody at the desk does."""
    room = day.rooms["204"] = Room("204", "Zarmina Ahmadi")
    reservation = f"RES-{uuid4().hex[:12].upper()}"
    today = day.now().date()
    day.neighbours.tell(
        "melmastoon.reservation.confirmed.v1",
        {
            "reservationId": reservation,
            "propertyId": str(KABUL),
            "guest": {"name": room.guest},
            "arrival": today.isoformat(),
            "departure": (today + timedelta(days=1)).isoformat(),
        },
    )

    def look() -> dict[str, Any] | None:
        desk = "reception (amina)"
        found = day.get(desk, "/folios", reservationId=reservation).expect(200).json["items"]
        return found[0] if found else None

    folio = wait_for("the folio of the reservation", look)
    require(folio["status"] == "open", f"the folio is {folio['status']}")
    room.folio_id = folio["folioId"]
    return f"204  event taken; folio {room.folio_id} is open"


@step("reception (amina)", "opens a folio for a walk-in in room 305")
def walk_in_comes(day: Day, who: str) -> str:
    """No reservation, no stay plan: just a guest."""
    room = day.rooms["305"] = Room("305", "Karim Noori")
    body = {"propertyId": str(KABUL), "guest": {"name": room.guest}}
    answer = day.post(who, "/folios", body).expect(201)
    room.folio_id = answer.json["folioId"]
    return f"201  folio {room.folio_id}, {balance(answer, 0)}"


@step("reservations", "tell that the guest of room 118 has come")
def guest_of_118_comes(day: Day, who: str) -> str:
    """What the nights cost comes with the reservation; nobody will have to post them."""
    reservation, today = f"RES-{uuid4().hex[:12].upper()}", day.business_date()
    stay = {
        "reservationId": reservation,
        "propertyId": str(KABUL),
        "guest": {"name": "Latifa Rahimi"},
        "arrival": today.isoformat(),
        "departure": (today + timedelta(days=2)).isoformat(),
        "nights": [
            {"night": (today + timedelta(days=place)).isoformat(), "price": money(80_00)}
            for place in range(2)
        ],
    }
    day.neighbours.tell("melmastoon.reservation.confirmed.v1", stay)
    day.neighbours.tell("melmastoon.reservation.checked_in.v1", stay)

    def look() -> dict[str, Any] | None:
        desk = "reception (amina)"
        found = day.get(desk, "/folios", reservationId=reservation).expect(200).json["items"]
        return found[0] if found else None

    folio = wait_for("the folio of the reservation", look)
    day.left["118"] = {"folio": folio["folioId"], "night": today.isoformat()}
    return "204  events taken; two nights at 80.00 USD are planned"


@step("night audit (farid)", "charges the night in room 204")
def night_in_204(day: Day, who: str) -> str:
    """120.00, 2.00 of city tax, and 10 % of the price."""
    answer = _charge(day, who, "204", "room", "Room 204, one night", 120_00).expect(201)
    return f"201  {lines(answer, 120_00, 2_00, 12_00)}, {balance(answer, 134_00)}"


@step("night audit (farid)", "charges the night in room 305")
def night_in_305(day: Day, who: str) -> str:
    """90.00, 2.00 of city tax, and 10 % of the price."""
    answer = _charge(day, who, "305", "room", "Room 305, one night", 90_00).expect(201)
    return f"201  {lines(answer, 90_00, 2_00, 9_00)}, {balance(answer, 101_00)}"


@step("bar (till 3)", "posts a bill to room 305")
def bar_bill(day: Day, who: str) -> str:
    """18.50 and 10 % of it."""
    day.left["bar"] = {"key": str(uuid4()), "externalReference": f"POS-{uuid4().hex[:10]}"}
    answer = day.left["bar answer"] = _bar_bill(day, who).expect(201)
    return f"201  {lines(answer, 18_50, 1_85)}, {balance(answer, 121_35)}"


@step("bar (till 3)", "sends the same again: the network was slow")
def bar_bill_again(day: Day, who: str) -> str:
    """The same key: the stored answer, and no second bill."""
    again = _bar_bill(day, who).expect(201)
    require(again.body == day.left["bar answer"].body, f"another answer: {again.said}")
    require(again.headers.get("Idempotency-Replayed") == "true", "the answer is not a replay")
    folio = day.get("reception (amina)", f"/folios/{day.rooms['305'].folio_id}").expect(200)
    return f"201  replayed, word for word; {balance(folio, 121_35)}"


@step("reception (amina)", "posts a minibar bill to the wrong room")
def wrong_minibar(day: Day, who: str) -> str:
    """7.00 and 10 % of it."""
    answer = _charge(day, who, "204", "minibar", "Two mineral waters", 7_00).expect(201)
    day.left["minibar"] = answer.json["lines"][0]["chargeId"]
    return f"201  {lines(answer, 7_00, 70)}, {balance(answer, 141_70)}"


@step("reception (amina)", "voids it, with a reason")
def void_minibar(day: Day, who: str) -> str:
    """Nothing is deleted: lines in the other direction take it back, taxes included."""
    path = f"/folios/{day.rooms['204'].folio_id}/charges/{day.left['minibar']}/void"
    answer = day.post(who, path, {"reason": "Posted to the wrong room"}).expect(201)
    return f"201  {lines(answer, -7_00, -70)}, {balance(answer, 134_00)}"


@step("trainee (omid)", "tries to post a charge without the scope")
def trainee_is_refused(day: Day, who: str) -> str:
    """Scopes, never role names."""
    answer = _charge(day, who, "204", "spa", "Sauna", 30_00).expect(403, "SCOPE_MISSING")
    return f"403  {answer.json['code']}: {answer.json['detail']}"


@step("reception (amina)", "tries to close room 204 with money owing")
def close_with_balance(day: Day, who: str) -> str:
    """A folio closes at zero."""
    path = f"/folios/{day.rooms['204'].folio_id}/close"
    problem = day.post(who, path).expect(409, "BALANCE_DUE").json
    due = {"amountMicro": problem["balanceMicro"], "currency": problem["currency"]}
    require(due == money(134_00), f"{shown(due)} are said to be due")
    return f"409  {problem['code']}: {shown(due)}"


@step("reception (amina)", "takes 77.40 EUR by card for room 204")
def pays_in_euros(day: Day, who: str) -> str:
    """Converted by the rate that was pinned when the folio opened; the processor's ids only."""
    answer = _card(day, who, money(EURO_CENTS, "EUR")).expect(201)
    return f"201  {lines(answer, -83_99)} USD at 1.0852, {balance(answer, 1)}"


def _charge(day: Day, who: str, room: str, kind: str, words: str, minor: int) -> Answer:
    body = {"kind": kind, "description": {"en": words}, "unitAmount": money(minor)}
    return day.post(who, f"/folios/{day.rooms[room].folio_id}/charges", body)


def _bar_bill(day: Day, who: str) -> Answer:
    bill = day.left["bar"]
    body = {
        "kind": "food_beverage",
        "description": {"en": "Bar, table 7"},
        "unitAmount": money(18_50),
        "source": "pos",
        "externalReference": bill["externalReference"],
    }
    return day.post(who, f"/folios/{day.rooms['305'].folio_id}/charges", body, bill["key"])


def _card(day: Day, who: str, amount: dict[str, Any]) -> Answer:
    payment_id = f"psp_{uuid4().hex[:16]}"
    day.captured(payment_id, amount)
    body = {
        "method": "card",
        "amount": amount,
        "paymentId": payment_id,
        "paymentMethodToken": f"tok_{uuid4().hex}",
    }
    return day.post(who, f"/folios/{day.rooms['204'].folio_id}/payments", body)


STEPS: Final = (
    is_ready,
    reservation_comes,
    walk_in_comes,
    guest_of_118_comes,
    night_in_204,
    night_in_305,
    bar_bill,
    bar_bill_again,
    wrong_minibar,
    void_minibar,
    trainee_is_refused,
    close_with_balance,
)
PAYING_STEPS: Final = (pays_in_euros,)
