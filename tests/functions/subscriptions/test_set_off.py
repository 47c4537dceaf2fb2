"""A credit is set off against what is open: only the rest is charged and dunned (SUB-5, SUB-7).

Team for the 30 days from 1 April, 99.00, of which nothing is paid; in the middle Pro would cost
14.50 for the rest where Team does 49.50: a change credits 35.00, and 64.00 are left to pay.
"""

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from tests.buying import card
from tests.charging import (
    booked,
    charges,
    choose,
    collect,
    debts,
    first_invoice,
    incidents_are_over,
    last_charge,
    refund_invoice,
    status,
    told_of,
)
from tests.functions.subscriptions.test_platform_taxes import fetched
from tests.hotel import Hotel, House
from tests.platform_taxing import nobody_sells, settle_in, somebody_sells
from tests.proofs import assert_refused, told
from tests.subscribing import Figures, act, change, invoices, preview, shown, subscribed
from tests.together import at_once
from tests.trust.books import broken
from tests.webhooks import Webhook, event

pytestmark = pytest.mark.req("SUB-5", "SUB-7", "BEY-5")
Clock = Callable[[str], None]


@pytest.fixture
def middle(hotel: Hotel, house: House, clock: Clock) -> Hotel:
    """Half of Team's period is over, and its card was declined then; no waiting will cure it."""
    owing(hotel, clock, "sandbox_expired")
    return hotel


def owing(
    hotel: Hotel,
    clock: Clock,
    kind: str,
    *,
    settles: bool = True,
    plan: str = "team",
    year: int = 2026,
) -> None:
    """Team from 1 April, by a card that behaves so, which is charged in the middle."""
    incidents_are_over(hotel.house)
    clock(f"{year}-04-01T00:00:00+00:00")
    subscribed(hotel, plan, paymentMethodId=card(hotel, kind))
    clock(f"{year}-04-16T00:00:00+00:00")
    collect(hotel, settles=settles)


def moved(hotel: Hotel) -> Figures:
    """What was set off, and given back of that: by what, the accounts, and cents."""
    return hotel.house.sql(
        "SELECT split_part(source, ':', 1), debit_account, credit_account, amount_micro / 10000"
        " FROM billing_central.platform_reversal_entries WHERE tenant_id = :t"
        " AND starts_with(source, 'set_off') ORDER BY occurred_at, source, part",
        t=hotel.tenant_id,
    )


def cents(amount: dict[str, Any]) -> int:
    return int(amount["amountMicro"]) // 10_000


def credit(hotel: Hotel) -> int:
    return cents(shown(hotel)["subscription"]["credit"])


def read(hotel: Hotel) -> list[dict[str, Any]]:
    """The invoices as their own tenant reads them."""
    token = hotel.token("subscription.read")
    items: list[dict[str, Any]] = hotel.get("/subscription-invoices", token=token).json["items"]
    return items


def test_the_rest_is_dunned_and_the_document_says_what_was_set_off(
    middle: Hotel, clock: Clock
) -> None:
    """What was quoted is what is set off, to the cent: of 99.00, 64.00 are charged to the next
    card. No more than those is ever refunded."""
    assert status(middle) == "past_due"
    quoted = preview(middle, plan="pro").json
    (share,) = quoted["bill"]["setOff"]
    assert abs(cents(share["amount"]) - 3_500) <= 1
    assert (quoted["bill"]["creditLeft"], cents(quoted["subscription"]["credit"])) == (
        share["amount"],
        0,
    )

    changed = change(middle, plan="pro", quoteToken=quoted["quoteToken"])

    assert changed.status_code == 200, changed.text
    assert changed.json["invoice"]["bill"] == quoted["bill"]
    first, second = read(middle)
    left = 9_900 - cents(share["amount"])
    assert (first["status"], cents(first["left"]), first["setOff"]) == (
        "open",
        left,
        share["amount"],
    )
    (said,) = json.loads(second["payload"])["setOff"]
    assert said["invoice"] == {
        "id": first["invoiceId"],
        "number": first["number"],
        "payloadSha256": first["payloadSha256"],
    }
    assert credit(middle) == 0
    assert moved(middle) == [["set_off", "customer_credit", "receivable", 9_900 - left]]
    assert told(middle)[-2:] == ["subscription.changed", "subscription_invoice.issued"]
    assert choose(middle, card(middle)).status_code == 200
    collect(middle)
    assert charges(middle)[-1] == [2, "succeeded", None, left]
    assert (status(middle), debts(middle)) == ("active", ["paid", "paid"])
    beyond = refund_invoice(middle, first_invoice(middle), left + 1)
    assert_refused(beyond, 409, "REFUND_EXCEEDS_PAYMENT")
    assert refund_invoice(middle, first_invoice(middle), left).status_code == 201
    assert broken(middle) == []


def test_who_owes_nothing_any_more_is_served(hotel: Hotel, clock: Clock) -> None:
    """Pro is paid, and 35.00 for Team from the middle are declined: back to Pro gives all of them
    back, nothing is left to be dunned, and the next minute's job serves as before."""
    owing(hotel, clock, "sandbox_visa", plan="pro")
    assert choose(hotel, card(hotel, "sandbox_expired")).status_code == 200
    assert change(hotel, plan="team").status_code == 200
    collect(hotel)
    assert status(hotel) == "past_due"

    changed = change(hotel, plan="pro")

    assert cents(changed.json["bill"]["setOff"][0]["amount"]) == 3_500
    collect(hotel)
    assert (status(hotel), debts(hotel)) == ("active", ["paid"] * 3)
    assert told(hotel).count("subscription.payment_recovered") == 1
    assert (credit(hotel), len(charges(hotel))) == (0, 2)
    assert broken(hotel) == []


def test_what_waits_at_the_bank_for_the_whole_is_called_off(hotel: Hotel, clock: Clock) -> None:
    """The bank has asked for 99.00: that is called off, and it is asked for 64.00."""
    owing(hotel, clock, "sandbox_3ds")
    assert charges(hotel) == [[1, "requires_action", None, 9_900]]

    assert change(hotel, plan="pro").status_code == 200
    for minute in (1, 2, 3):
        clock(f"2026-04-16T00:0{minute}:00+00:00")
        collect(hotel)

    (first, second) = charges(hotel)
    assert first == [1, "canceled", None, 9_900]
    assert second[:2] == [2, "requires_action"]
    assert abs(second[3] - 6_400) <= 1
    assert status(hotel) == "past_due"
    assert broken(hotel) == []


@pytest.mark.req("BEY-4")
def test_a_tenant_who_was_faster_has_the_credit_again(hotel: Hotel, clock: Clock) -> None:
    """The bank's word for all of 99.00 comes behind the set-off: 35.00 are credit again, as they
    would be had it come before; told of twice."""
    owing(hotel, clock, "sandbox_3ds")
    assert change(hotel, plan="pro").status_code == 200
    taken = told_of(hotel, "payment_intent.succeeded", last_charge(hotel), 9_900)

    at_once([lambda: Webhook(hotel).send(taken), lambda: Webhook(hotel).send(taken)])

    given = -invoices(hotel)[1][2]
    assert (credit(hotel), status(hotel), debts(hotel)) == (given, "active", ["paid", "paid"])
    assert moved(hotel) == [
        ["set_off", "customer_credit", "receivable", given],
        ["set_off_back", "receivable", "customer_credit", given],
    ]
    assert booked(hotel) == [["processor_clearing", "receivable", 9_900]]
    assert cents(read(hotel)[0]["left"]) == 9_900
    assert broken(hotel) == []


def test_what_nobody_has_asked_for_yet_is_asked_for_no_more(hotel: Hotel, clock: Clock) -> None:
    """99.00 were written down to be charged: after a quarter of an hour it is known that nobody
    has asked, 64.00 are charged, and that was no decline."""
    owing(hotel, clock, "sandbox_visa", settles=False)
    assert change(hotel, plan="pro").status_code == 200

    for minute in (1, 16, 17):
        clock(f"2026-04-16T00:{minute:02}:00+00:00")
        collect(hotel)
        collect(hotel)

    left = 9_900 + invoices(hotel)[1][2]
    assert charges(hotel) == [
        [1, "failed", "never_arrived", 9_900],
        [2, "succeeded", None, left],
    ]
    assert (status(hotel), debts(hotel)) == ("active", ["paid", "paid"])
    assert told(hotel).count("subscription.past_due") == 0
    assert broken(hotel) == []


def test_a_quote_is_stale_where_what_it_sets_off_was_paid(hotel: Hotel, clock: Clock) -> None:
    """Nothing of the subscription has changed: its invoice has been paid meanwhile."""
    owing(hotel, clock, "sandbox_visa", settles=False)
    token = preview(hotel, plan="pro").json["quoteToken"]
    collect(hotel)
    assert debts(hotel) == ["paid"]

    assert_refused(change(hotel, plan="pro", quoteToken=token), 409, "QUOTE_STALE")
    assert change(hotel, plan="pro").status_code == 200
    assert credit(hotel) == -invoices(hotel)[1][2]
    assert broken(hotel) == []


def test_what_is_given_up_and_paid_after_all_is_no_loss(middle: Hotel, clock: Clock) -> None:
    """64.00 are lost with a tenant that has gone; 99.00 come late, of which 35.00 are credit."""
    assert change(middle, plan="pro").status_code == 200
    charge = last_charge(middle)
    clock("2026-04-27T00:00:00+00:00")
    collect(middle)
    assert act(middle, "cancel", at="now").status_code == 200
    collect(middle)
    assert debts(middle) == ["uncollectible", "paid"]

    taken = told_of(middle, "payment_intent.succeeded", charge, 9_900)
    assert Webhook(middle).send(taken).json["outcome"] == "applied"

    given = -invoices(middle)[1][2]
    assert moved(middle)[1] == ["set_off_back", "bad_debt", "customer_credit", given]
    assert debts(middle) == ["paid", "paid"]
    assert broken(middle) == []


@pytest.mark.req("WH-4")
def test_nothing_is_set_off_while_the_processor_collects(middle: Hotel) -> None:
    """It takes what its own invoices say: the credit pays the next of ours, as ever."""
    theirs = {
        "id": f"sub_at_the_processor_{middle.tenant_id.hex}",
        "object": "subscription",
        "status": "active",
        "metadata": {
            "tenantId": str(middle.tenant_id),
            "subscriptionId": shown(middle)["subscription"]["subscriptionId"],
        },
    }
    assert Webhook(middle).send(event("customer.subscription.created", theirs)).status_code == 200

    assert change(middle, plan="pro").json["bill"]["setOff"] == []

    assert moved(middle) == []
    assert credit(middle) == -invoices(middle)[1][2]
    assert broken(middle) == []


@pytest.mark.req("API-4")
def test_two_changes_and_a_payment_at_once_take_what_is_owed(hotel: Hotel, clock: Clock) -> None:
    """Down to Pro twice, while the job charges 99.00: one change, and what was taken and credited
    comes to what is owed, whoever is first."""
    owing(hotel, clock, "sandbox_visa", settles=False)

    first, second, _ = at_once(
        [
            lambda: change(hotel, plan="pro"),
            lambda: change(hotel, plan="pro"),
            lambda: collect(hotel),
        ]
    )

    assert sorted([first.status_code, second.status_code]) == [200, 409]
    for minute in (1, 17, 18):
        clock(f"2026-04-16T00:{minute:02}:00+00:00")
        collect(hotel)
    taken = sum(row[3] for row in charges(hotel) if row[1] == "succeeded")
    assert taken - credit(hotel) == sum(row[2] for row in invoices(hotel))
    assert debts(hotel) == ["paid", "paid"]
    assert broken(hotel) == []


@pytest.mark.req("SUB-5", "INV-4")
def test_a_set_off_with_tax_is_drawn_as_a_credit_note(
    hotel: Hotel, house: House, clock: Clock
) -> None:
    """Paris: 118.80 are owed, 35.00 and 7.00 of tax go back: 76.80 are left, and are charged."""
    clock("2027-04-01T00:00:00+00:00")
    somebody_sells(house)
    settle_in(hotel, "FR")
    owing(hotel, clock, "sandbox_expired", year=2027)
    answer = change(hotel, plan="pro")
    nobody_sells(house)
    (share,) = answer.json["bill"]["setOff"]
    assert abs(cents(share["amount"]) - 4_200) <= 2

    invoice = answer.json["invoice"]["invoiceId"]
    assert abs(cents(read(hotel)[0]["left"]) - 7_680) <= 2
    token = hotel.token("subscription.read")
    led = hotel.get(f"/subscription-invoices/{invoice}/pdf", token=token)

    assert led.status_code == 302, led.text
    pdf = PdfReader(BytesIO(fetched(hotel, led.headers["Location"])))
    text = " ".join(pdf.pages[0].extract_text().split())
    for said in ("Credit note", "Set off against", share["number"], "VAT, France", "Due USD 0.00"):
        assert said in text, text
    assert pdf.metadata is not None
    assert pdf.metadata.title == f"Credit note {answer.json['invoice']['number']}"
    assert broken(hotel) == []
