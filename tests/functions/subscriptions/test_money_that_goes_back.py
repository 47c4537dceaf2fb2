"""Money of the platform's invoices goes back, whoever tells of it (WH-5, CRD-5)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.buying import card
from tests.charging import collect, debts, last_charge, told_of
from tests.hotel import Hotel, House
from tests.platform_taxing import nobody_sells, settle_in, somebody_sells
from tests.prepaying import available, balance, deduct, entries
from tests.proofs import assert_books_are_right, told
from tests.subscribing import change, subscribed
from tests.together import at_once
from tests.trust.books import broken
from tests.webhooks import Webhook, disputed, refunded_there

pytestmark = [pytest.mark.req("WH-5", "CRD-5"), pytest.mark.usefixtures("noon")]
Clock = Callable[[str], None]


def paid(hotel: Hotel, plan: str = "pro") -> str:
    """Subscribe and pay, and answer the processor's payment."""
    subscribed(hotel, plan, paymentMethodId=card(hotel))
    collect(hotel)
    assert debts(hotel) == ["paid"]
    return f"sandbox_pi_{last_charge(hotel).removeprefix('pin_')}"


def send(hotel: Hotel, about: dict[str, Any]) -> str:
    answer = Webhook(hotel).send(about)
    assert answer.status_code == 200, answer.text
    outcome: str = answer.json["outcome"]
    return outcome


def invoice(hotel: Hotel) -> dict[str, Any]:
    """The first invoice as its tenant reads it."""
    token = hotel.token("subscription.read")
    first = hotel.get("/subscription-invoices", token=token).json["items"][0]["invoiceId"]
    shown: dict[str, Any] = hotel.get(f"/subscription-invoices/{first}", token=token).json
    return shown


def standing(hotel: Hotel) -> list[Any]:
    """How the payment of the first invoice stands, and in cents: refunded, disputed, lost."""
    shown = invoice(hotel)
    gone = [shown[name]["amountMicro"] // 10_000 for name in ("refunded", "disputed", "lost")]
    return [shown["paymentStatus"], *gone]


def reversals(hotel: Hotel) -> list[list[Any]]:
    """What was booked: source, debit, credit, cents."""
    return hotel.house.sql(
        "SELECT split_part(source, ':', 1), debit_account, credit_account, amount_micro / 10000"
        " FROM billing_central.platform_reversal_entries WHERE tenant_id = :t"
        " ORDER BY occurred_at, source, part",
        t=hotel.tenant_id,
    )


def notes(hotel: Hotel) -> list[list[int]]:
    """Of each credit note in cents: net, tax, total."""
    return [
        [note[name]["amountMicro"] // 10_000 for name in ("net", "tax", "total")]
        for note in invoice(hotel)["creditNotes"]
    ]


def test_a_refund_is_a_credit_note_and_takes_credits_back_once(hotel: Hotel) -> None:
    """Pro for 29.00 with 1,000 credits, 600 spent; 14.50 go back, half: 500, of which 400 are
    there and 100 are owed."""
    payment = paid(hotel)
    deduct(hotel, 600)
    once = refunded_there(payment, "re_1", 1_450)

    again = refunded_there(payment, "re_1", 1_450)
    at_once([lambda: send(hotel, once), lambda: send(hotel, again)])

    assert notes(hotel) == [[1_450, 0, 1_450]]
    assert standing(hotel) == ["partially_refunded", 1_450, 0, 0]
    assert reversals(hotel) == [["refund", "subscription_refunds", "processor_clearing", 1_450]]
    assert entries(hotel)[-1] == ["claw_back", -400, 0, 100]
    assert (available(hotel), balance(hotel)["debtMicro"]) == (0, 100_000_000)
    assert told(hotel).count("platform_credit_note.issued") == 1
    assert debts(hotel) == ["paid"]
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("SUB-5")
def test_thirds_take_the_tax_back_to_the_cent_and_from_the_one_stop_shop(
    house: House, hotel: Hotel, clock: Clock
) -> None:
    """Pro in Paris: 29.00 and 20 % are 34.80. Three times 11.60 with 1.93, 1.94 and 1.93 of tax:
    5.80 * 1/3 is 1.93, * 2/3 is 3.87, and the whole is 5.80. Every credit is gone."""
    clock("2027-03-01T12:00:00+00:00")
    somebody_sells(house)
    settle_in(hotel, "FR")
    payment = paid(hotel)
    for number in range(3):
        assert send(hotel, refunded_there(payment, f"re_{number}", 1_160)) == "applied"
    assert send(hotel, refunded_there(payment, "re_4", 1)) == "refused"

    assert notes(hotel) == [[967, 193, 1_160], [966, 194, 1_160], [967, 193, 1_160]]
    assert (standing(hotel), available(hotel)) == (["refunded", 3_480, 0, 0], 0)
    assert reversals(hotel)[:2] == [
        ["refund", "subscription_refunds", "processor_clearing", 967],
        ["refund", "vat_payable:FR", "processor_clearing", 193],
    ]
    assert house.sql("SELECT net_micro, tax_micro FROM billing_central.one_stop_shop_totals") == [
        [0, 0]
    ]
    chained = [note["previousSha256"] for note in invoice(hotel)["creditNotes"]]
    hashes = [note["payloadSha256"] for note in invoice(hotel)["creditNotes"]]
    assert chained[1:] == hashes[:2]
    assert_books_are_right(hotel)
    assert broken(hotel) == []
    nobody_sells(house)


def test_a_dispute_withholds_and_gives_back_once_won(hotel: Hotel) -> None:
    """An inquiry moves nothing; an older word that comes late changes nothing more."""
    payment = paid(hotel)
    seen = []
    told_in_turn = ("warning_needs_response", "needs_response", "under_review", "won", "lost")
    for status in (*told_in_turn, "needs_response"):
        assert send(hotel, disputed(payment, "dp_1", status, cents=2_900)) == "applied"
        seen.append([*standing(hotel), available(hotel) // 1_000_000])

    assert seen == [
        ["succeeded", 0, 0, 0, 1_000],
        ["disputed", 0, 2_900, 0, 0],
        ["disputed", 0, 2_900, 0, 0],
        *3 * [["succeeded", 0, 0, 0, 1_000]],
    ]
    assert reversals(hotel) == [
        ["dispute", "disputed_funds", "processor_clearing", 2_900],
        ["dispute", "processor_clearing", "disputed_funds", 2_900],
    ]
    assert told(hotel).count("subscription_invoice.disputed") == 4
    assert told(hotel).count("payment.disputed") == 1
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_a_dispute_that_is_lost_is_a_loss_with_its_fee(hotel: Hotel) -> None:
    """29.00 and 15.00 for the trouble; told of twice at once, and once more."""
    payment = paid(hotel)
    asked = disputed(payment, "dp_1", "needs_response", cents=2_900)
    at_once([lambda: send(hotel, asked), lambda: send(hotel, {**asked, "id": "evt_2"})])
    lost = disputed(payment, "dp_1", "lost", "closed", 1_500, 2_900)
    at_once([lambda: send(hotel, lost), lambda: send(hotel, {**lost, "id": "evt_4"})])

    assert standing(hotel) == ["disputed", 0, 0, 2_900]
    assert reversals(hotel) == [
        ["dispute", "disputed_funds", "processor_clearing", 2_900],
        ["dispute", "dispute_losses", "disputed_funds", 2_900],
        ["dispute", "dispute_fees", "processor_clearing", 1_500],
    ]
    assert (available(hotel), debts(hotel)) == (0, ["paid"])
    assert broken(hotel) == []


def test_a_refund_beside_a_dispute_keeps_what_that_has_taken(hotel: Hotel) -> None:
    """All is withheld, and is given back as well: won, the money comes, and the credits stay."""
    payment = paid(hotel)
    send(hotel, disputed(payment, "dp_1", "needs_response", cents=2_900))
    send(hotel, refunded_there(payment, "re_1", 2_900))
    send(hotel, disputed(payment, "dp_1", "won", cents=2_900))

    assert (standing(hotel), available(hotel)) == (["refunded", 2_900, 0, 0], 0)
    assert broken(hotel) == []


@pytest.mark.req("BEY-7", "CRD-5")
def test_of_what_a_dispute_has_taken_all_comes_back_but_what_a_refund_asked_for(
    hotel: Hotel,
) -> None:
    """29.00 are withheld and 7.25 given back beside it, a quarter: won, three quarters of the
    period's credits are there."""
    payment = paid(hotel)
    granted = available(hotel)
    send(hotel, disputed(payment, "dp_1", "needs_response", cents=2_900))
    send(hotel, refunded_there(payment, "re_1", 725))
    assert available(hotel) == 0

    send(hotel, disputed(payment, "dp_1", "won", cents=2_900))

    assert available(hotel) == granted * 3 // 4
    assert broken(hotel) == []


def test_the_invoice_of_a_change_brings_no_credits_and_takes_none(
    hotel: Hotel, clock: Clock
) -> None:
    """Pro and at once Team: 29.00 and 70.00 are paid; what goes back of the second takes none."""
    paid(hotel)
    clock("2026-03-01T12:00:01+00:00")
    assert change(hotel, plan="team").status_code == 200
    collect(hotel)
    before = available(hotel)
    payment = f"sandbox_pi_{last_charge(hotel).removeprefix('pin_')}"

    assert send(hotel, refunded_there(payment, "re_1", 7_000)) == "applied"

    assert available(hotel) == before
    assert broken(hotel) == []


def test_money_that_goes_back_before_it_came_is_told_again_later(hotel: Hotel) -> None:
    """The refund overtakes the payment: 503, so that the processor sends it again."""
    subscribed(hotel, paymentMethodId=card(hotel, "sandbox_3ds"))
    collect(hotel)
    charge = last_charge(hotel)
    early = refunded_there(f"sandbox_pi_{charge.removeprefix('pin_')}", "re_1", 2_900)
    early["data"]["object"]["metadata"] = {"tenantId": str(hotel.tenant_id)}

    assert Webhook(hotel).send(early).status_code == 503
    assert send(hotel, told_of(hotel, "payment_intent.succeeded", charge, 2_900)) == "applied"
    assert send(hotel, early) == "applied"

    assert (standing(hotel), available(hotel)) == (["refunded", 2_900, 0, 0], 0)
    assert broken(hotel) == []
