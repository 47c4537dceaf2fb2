"""The day's cards: a challenge, a card that is declined, a webhook that comes five times, credits
that settle a bill and whose money goes back, and a processor that is down for a while.

The processor's part is played by the sandbox, whose cards behave by their names; its webhooks are
signed as it signs them and come over HTTP, as everybody's calls do.
"""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any, Final
from uuid import uuid4

from ulid import ULID

from common.domain.circuit import FAILURES_MAX
from common.local.client import Answer, require, wait_for
from common.local.day import Day, step
from common.local.day_desk import money, shown
from common.local.demo_hotel import KABUL, TENANT_ID

OWED_CENTS: Final = 90_00
TONIGHT_CENTS: Final = 92_00
SPA_CENTS: Final = 25_00
DELIVERIES: Final = 5
BREAKER_PAUSE: Final = timedelta(seconds=31)
"""The processor is left alone for thirty seconds; the next call after them is the probe."""
DIGITS_AS_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")
CREDIT_MICRO: Final = 1_000_000
BOUGHT, SPENT, GIVEN_BACK = 5_000, 1_000, 2_000
GIVEN_BACK_CENTS: Final = 20_00
BILL_CENTS: Final = 11_00
"""As many credits, too."""


@step("reception (amina)", "keeps the two cards of room 118, as tokens")
def cards_are_left(day: Day, who: str) -> str:
    """The processor's page took the numbers; what comes in here are its words for them."""
    cards = day.left["cards"] = {"customer": _customer(day, who, "Latifa Rahimi")}
    for kind in ("declined", "3ds"):
        kept = _card(day, who, cards["customer"], f"sandbox_{kind}").json
        cards[kind] = kept["paymentMethodId"]
    return f"201  two of {kept['brand']}; no number has come into the house"


@step("reception (amina)", "takes the 90.00 of room 118: it is declined")
def card_is_declined(day: Day, who: str) -> str:
    """Declined is an answer, and nothing has happened: the guest owes what she owed."""
    payment = _intent(day, who, OWED_CENTS)
    failed = _confirmed(day, who, payment, day.left["cards"]["declined"]).json
    require(failed["status"] == "failed", f"the payment is {failed['status']}")
    owed = _owes(day, who, OWED_CENTS)
    return f"200  {failed['status']}: {failed['failureCode']}; {owed} are owed"


@step("reception (amina)", "takes them from the other card")
def card_asks_for_a_challenge(day: Day, who: str) -> str:
    """The bank wants to hear it from the guest (3-D Secure); nobody is charged yet."""
    payment = day.left["cards"]["payment"] = _intent(day, who, OWED_CENTS)
    waits = _confirmed(day, who, payment, day.left["cards"]["3ds"]).json
    require(waits["status"] == "requires_action", f"the payment is {waits['status']}")
    _owes(day, who, OWED_CENTS)
    action = day.get(who, f"/payments/{payment}").expect(200).json["nextAction"]
    return f"200  {waits['status']}: the guest goes to {action['redirectUrl'].rpartition('/')[0]}"


@step("guest (Latifa)", "confirms it to the bank")
def challenge_is_passed(day: Day, who: str) -> str:
    """On her own telephone; the house hears of it by the processor."""
    asked = {"paymentIntentId": day.left["cards"]["payment"], "confirms": True}
    day.client.post("/dev/challenges", asked).expect(200)
    return "     on her telephone; the house has not heard of it yet"


@step("card processor", "tells of it five times at once")
def webhook_comes_five_times(day: Day, who: str) -> str:
    """One delivery has the effect, the others are told that it has been; 90.00 are paid once."""
    desk, payment = "reception (amina)", day.left["cards"]["payment"]
    told = _told_of_payment(payment, OWED_CENTS)
    together = Barrier(DELIVERIES)

    def delivered(_: int) -> str:
        together.wait(timeout=30)
        outcome: str = day.webhook(told).expect(200).json["outcome"]
        return outcome

    with ThreadPoolExecutor(DELIVERIES) as pool:
        outcomes = Counter(pool.map(delivered, range(DELIVERIES)))
    require(outcomes == {"applied": 1, "duplicate": DELIVERIES - 1}, f"they were {outcomes}")
    status = day.get(desk, f"/payments/{payment}").expect(200).json["status"]
    require(status == "succeeded", f"the payment is {status}")
    return f"200  applied once, {DELIVERIES - 1} duplicates; room 118 owes {_owes(day, desk, 0)}"


@step("forger", "changes one byte of that webhook")
def webhook_is_forged(day: Day, who: str) -> str:
    """The signature is over the bytes: another byte, another signature."""
    content = json.dumps(_told_of_payment(day.left["cards"]["payment"], OWED_CENTS)).encode()
    header = day.signed_by_processor(content)
    forged = content.replace(b"9000", b"9900")
    problem = day.deliver(forged, header).expect(400, "WEBHOOK_SIGNATURE_INVALID").json
    return f"400  {problem['code']}"


@step("manager (yusuf)", "buys 5,000 credits by card")
def credits_are_bought(day: Day, who: str) -> str:
    """A hundred for a dollar; they are there with the answer of the processor."""
    before = _credits(day, who)
    buyer = _customer(day, who, "Hindu Kush Hotels")
    card = _card(day, who, buyer, "sandbox_visa", purpose="platform_bills").json
    wanted = {
        "id": f"pin_{ULID()}",
        "creditsMicro": BOUGHT * CREDIT_MICRO,
        "paymentMethodId": card["paymentMethodId"],
    }
    made = day.post(who, "/credits/purchase", wanted).expect(201).json
    require(made["status"] == "succeeded", f"the purchase is {made['status']}")
    came = _credits(day, who) - before
    require(came == BOUGHT, f"{came} credits came")
    day.left["purchase"] = made["purchaseId"]
    return f"201  {shown(made['amount'])}; {came:,} credits came"


@step("concierge", "spends 1,000 of them")
def credits_are_spent(day: Day, who: str) -> str:
    """All that is asked for, or nothing."""
    used = {
        "creditsMicro": SPENT * CREDIT_MICRO,
        "service": "concierge",
        "externalReference": f"chat-{uuid4().hex[:12].translate(DIGITS_AS_LETTERS)}",
    }
    before = _credits(day, who)
    day.post(who, "/credits/deduct", used).expect(201)
    gone = before - _credits(day, who)
    require(gone == SPENT, f"{gone} credits are gone")
    return f"201  {gone:,} credits gone"


@step("concierge", "settles a guest's bill of 11.00 with credits")
def bill_is_settled_in_credits(day: Day, who: str) -> str:
    """A hundred for a dollar here, too: the guest owes nothing, and the platform owes the house."""
    body = {"propertyId": str(KABUL), "guest": {"name": "Roshan Amiri"}}
    path = f"/folios/{day.post(who, '/folios', body).expect(201).json['folioId']}"
    bath = {"kind": "spa", "description": {"en": "Hammam"}, "unitAmount": money(10_00)}
    owed = day.post(who, f"{path}/charges", bath).expect(201).json["balance"]
    require(owed == money(BILL_CENTS), f"the guest owes {shown(owed)}")
    before = _credits(day, who)
    paid = {"method": "credits", "amount": owed, "creditAccount": "main"}
    left = day.post(who, f"{path}/payments", paid).expect(201).json["balance"]
    gone = before - _credits(day, who)
    require((left, gone) == (money(0), BILL_CENTS), f"{gone} credits, and {shown(left)} left")
    return f"201  {gone:,} credits gone; balance {shown(left)}"


@step("card processor", "tells of 20.00 USD given back at its dashboard")
def credits_follow_their_money(day: Day, who: str) -> str:
    """What was bought for that money and is not spent is taken back, once, told twice or not."""
    desk = "manager (yusuf)"
    before = _credits(day, desk)
    told = _told_of_refund(day.left["purchase"], GIVEN_BACK_CENTS)
    outcomes = [day.webhook(told).expect(200).json["outcome"] for _ in range(2)]
    require(outcomes == ["applied", "duplicate"], f"they were {outcomes}")
    taken = before - _credits(day, desk)
    require(taken == GIVEN_BACK, f"{taken} credits were taken back")
    return f"200  {taken:,} credits taken back, and once though it was told twice"


@step("card processor", "goes down")
def processor_goes_down(day: Day, who: str) -> str:
    """From now on nobody is answered."""
    desk = "front desk (samir)"
    customer = day.left["cards"]["customer"]
    day.left["cards"]["visa"] = _card(day, desk, customer, "sandbox_visa").json["paymentMethodId"]
    day.client.post("/dev/processor", {"answers": False}).expect(200)
    return "     nobody is answered"


@step("front desk (samir)", "takes 92.00 for the night to come, and waits")
def payment_has_no_answer(day: Day, who: str) -> str:
    """Nobody knows whether it was taken: it is `processing`, and asked about, not asked for."""
    payment = day.left["cards"]["unanswered"] = _intent(day, who, TONIGHT_CENTS)
    waits = _confirmed(day, who, payment, day.left["cards"]["visa"]).json
    require(waits["status"] == "processing", f"the payment is {waits['status']}")
    return f"200  {waits['status']}"


@step("front desk (samir)", "tries to keep another card, again and again")
def processor_is_left_alone(day: Day, who: str) -> str:
    """Each silence is counted; with the fifth within a minute, nobody is asked any more."""
    customer = day.left["cards"]["customer"]
    for asked in range(1, FAILURES_MAX + 1):
        code = _card(day, who, customer, "sandbox_visa", 503, "GATEWAY_UNAVAILABLE").json["code"]
        if _breaker(day) == "open":
            return f"503  {code}; {asked} times, then the processor is left alone"
    raise LookupError(f"the breaker is {_breaker(day)} after {FAILURES_MAX} silences")


@step("front desk (samir)", "takes 25.00 for the spa: nobody is asked")
def payment_is_refused_at_once(day: Day, who: str) -> str:
    """Told at once to come again; nothing is half done, and the books can be read meanwhile."""
    payment = day.left["cards"]["refused"] = _intent(day, who, SPA_CENTS)
    answer = _confirm(day, who, payment, day.left["cards"]["visa"])
    problem = answer.expect(503, "GATEWAY_UNAVAILABLE").json
    stands = day.get(who, f"/payments/{payment}").expect(200).json["status"]
    require(stands == "requires_payment_method", f"the payment is {stands}")
    _owes(day, who, 0)
    return f"503  {problem['code']}, again in {answer.headers['Retry-After']} s"


@step("card processor", "is back; half a minute later it is tried")
def processor_is_back(day: Day, who: str) -> str:
    """The breaker's pause passes by the clock that can be moved."""
    day.client.post("/dev/processor", {"answers": True}).expect(200)
    day.sleep_until(day.now() + BREAKER_PAUSE)
    found = _breaker(day)
    require(found in ("half_open", "closed"), f"the breaker is {found}")
    return f"     the breaker is {found.replace('_', '-')}"


@step("front desk (samir)", "sends the 25.00 again")
def refused_payment_is_taken(day: Day, who: str) -> str:
    """One call is let through as a probe, this one or a job's; with its answer everybody is."""
    payment, method = day.left["cards"]["refused"], day.left["cards"]["visa"]

    def look() -> dict[str, Any] | None:
        answer = _confirm(day, who, payment, method)
        return None if answer.status == 503 else answer.expect(200).json

    taken = wait_for("an answer of the processor", look)
    require(taken["status"] == "succeeded", f"the payment is {taken['status']}")
    require(_breaker(day) == "closed", f"the breaker is {_breaker(day)}")
    return f"200  {taken['status']}; the breaker is closed"


@step("front desk (samir)", "asks what became of the 92.00")
def unanswered_payment_is_taken(day: Day, who: str) -> str:
    """It had never arrived, so it is taken now, under the same id: once, whoever asks."""
    payment = day.left["cards"]["unanswered"]
    method = day.left["cards"]["visa"]
    taken = _confirmed(day, who, payment, method).json
    require(taken["status"] == "succeeded", f"the payment is {taken['status']}")
    credit = _owes(day, who, -TONIGHT_CENTS - SPA_CENTS)
    return f"200  {taken['status']}, once; balance {credit}"


def _customer(day: Day, who: str, name: str) -> str:
    mailbox = uuid4().hex.translate(DIGITS_AS_LETTERS)
    body = {"email": f"{mailbox}@guest.example", "name": name}
    customer: str = day.post(who, "/customers", body).expect(201).json["customerId"]
    return customer


def _card(
    day: Day, who: str, customer: str, kind: str, status: int = 201, code: str = "", **more: str
) -> Answer:
    """Keep a card that behaves so; letters alone, as digits might pass for a card's number."""
    token = f"{kind}_{uuid4().hex[:20].translate(DIGITS_AS_LETTERS)}"
    path = f"/customers/{customer}/payment-methods"
    return day.post(who, path, {"token": token, **more}).expect(status, code)


def _intent(day: Day, who: str, minor: int) -> str:
    body = {
        "folioId": day.left["118"]["folio"],
        "customerId": day.left["cards"]["customer"],
        "amount": money(minor),
        "allowCredit": True,
    }
    payment: str = day.post(who, "/payments/intent", body).expect(201).json["paymentIntentId"]
    return payment


def _confirm(day: Day, who: str, payment: str, method: str) -> Answer:
    body = {"paymentIntentId": payment, "paymentMethodId": method}
    return day.post(who, "/payments/confirm", body)


def _confirmed(day: Day, who: str, payment: str, method: str) -> Answer:
    return _confirm(day, who, payment, method).expect(200)


def _owes(day: Day, who: str, minor: int) -> str:
    """What room 118 owes, which has to be this."""
    found = day.get(who, f"/folios/{day.left['118']['folio']}").expect(200).json["balance"]
    require(found == money(minor), f"room 118 owes {shown(found)}, not {shown(money(minor))}")
    return shown(found)


def _breaker(day: Day) -> str:
    state: str = day.client.get("/health/ready").expect(200).json["circuitBreakers"]["gateway"]
    return state


def _credits(day: Day, who: str) -> int:
    """What the main account can spend, in whole credits; nothing before it has been opened."""
    answer = day.get(who, "/credits/balance")
    if answer.status == 404:
        return 0
    available: int = answer.expect(200).json["availableMicro"]
    return available // CREDIT_MICRO


def _told_of_payment(payment: str, minor: int) -> dict[str, Any]:
    about = {
        "id": f"sandbox_pi_{payment.removeprefix('pin_')}",
        "object": "payment_intent",
        "status": "succeeded",
        "amount": minor,
        "amount_received": minor,
        "currency": "usd",
        "metadata": {"tenantId": str(TENANT_ID), "paymentIntentId": payment},
    }
    return _event("payment_intent.succeeded", about)


def _told_of_refund(purchase: str, minor: int) -> dict[str, Any]:
    about = {
        "id": f"re_{uuid4().hex}",
        "object": "refund",
        "status": "succeeded",
        "amount": minor,
        "currency": "usd",
        "payment_intent": f"sandbox_pi_{purchase.removeprefix('pin_')}",
        "metadata": {},
    }
    return _event("refund.updated", about)


def _event(kind: str, about: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"evt_{uuid4().hex}",
        "object": "event",
        "created": 0,
        "livemode": False,
        "type": kind,
        "data": {"object": about},
    }


STEPS: Final = (
    cards_are_left,
    card_is_declined,
    card_asks_for_a_challenge,
    challenge_is_passed,
    webhook_comes_five_times,
    webhook_is_forged,
    credits_are_bought,
    credits_are_spent,
    bill_is_settled_in_credits,
    credits_follow_their_money,
    processor_goes_down,
    payment_has_no_answer,
    processor_is_left_alone,
    payment_is_refused_at_once,
    processor_is_back,
    refused_payment_is_taken,
    unanswered_payment_is_taken,
)
