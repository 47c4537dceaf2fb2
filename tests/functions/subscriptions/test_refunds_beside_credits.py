"""What was refunded of a period is not credited again, nor the other way round (WH-5, BEY-8).

Team for the 30 days from 1 April, 99.00, paid; in the middle Pro would cost 14.50 for the rest
where Team does 49.50: a change credits 35.00, if nothing else gives it back.
"""

from collections.abc import Callable

import pytest

from jobs.retry_refunds import retry_refunds
from tests.charging import collect, first_invoice, incidents_are_over, refund_invoice
from tests.functions.subscriptions.test_money_that_goes_back import paid, send
from tests.hotel import Hotel, House, new_id
from tests.paying import run_job
from tests.proofs import assert_refused
from tests.subscribing import change, cycle, invoices, shown
from tests.together import at_once
from tests.trust.books import broken
from tests.webhooks import disputed, refund_told, refunded_there

pytestmark = pytest.mark.req("WH-5", "BEY-8")
Clock = Callable[[str], None]


@pytest.fixture
def middle(hotel: Hotel, house: House, clock: Clock) -> str:
    """The processor's payment of Team's period, of which half is over."""
    incidents_are_over(house)
    clock("2026-04-01T00:00:00+00:00")
    payment = paid(hotel, "team")
    clock("2026-04-16T00:00:00+00:00")
    return payment


def credit(hotel: Hotel) -> int:
    """The tenant's credit in cents, give or take a second's part."""
    cents: int = shown(hotel)["subscription"]["credit"]["amountMicro"] // 10_000
    return cents


def newest_invoice(hotel: Hotel) -> str:
    """The id of the tenant's newest invoice."""
    invoice: str = hotel.house.sql(
        "SELECT id FROM billing_central.subscription_invoices WHERE tenant_id = :t"
        " ORDER BY issued_at DESC LIMIT 1",
        t=hotel.tenant_id,
    )[0][0]
    return invoice


def totals(hotel: Hotel) -> list[list[object]]:
    """Of each invoice but the first: what it is for, and its total in cents."""
    return [[row[0], row[2]] for row in invoices(hotel)[1:]]


def test_a_change_credits_what_is_beyond_what_was_refunded(hotel: Hotel, middle: str) -> None:
    """20.00 are refunded: of 35.00 the other 15.00 are credited, as a line says. 64.00 are left to
    be refunded; then Free would cost 14.50 less, and credits nothing more."""
    assert refund_invoice(hotel, first_invoice(hotel), 2_000).status_code == 201

    changed = change(hotel, plan="pro")

    assert changed.json is not None
    lines = changed.json["bill"]["lines"]
    assert [line["kind"] for line in lines] == ["unused", "rest_of_period", "given_back"]
    assert lines[2]["amount"]["amountMicro"] == 20_000_000
    assert abs(credit(hotel) - 1_500) <= 1
    left = 9_900 - 2_000 - credit(hotel)
    beyond = refund_invoice(hotel, first_invoice(hotel), left + 1)
    assert_refused(beyond, 409, "REFUND_EXCEEDS_PAYMENT")
    assert f'"leftMicro":{left * 10_000}' in beyond.text.replace(" ", "")
    assert refund_invoice(hotel, first_invoice(hotel), left).status_code == 201
    assert run_job(hotel, retry_refunds).exit_code == 0
    before = credit(hotel)
    assert change(hotel, plan="free").status_code == 200
    assert credit(hotel) == before
    assert broken(hotel) == []


def test_of_what_credit_has_paid_no_money_goes_back(
    hotel: Hotel, middle: str, clock: Clock
) -> None:
    """Pro from the middle: the credit of 35.00 pays May, and 6.00 of June, whose 23.00 are charged.
    14.00 are promised back: 9.00 of the money are left, though 15.00 of the invoice are."""
    assert change(hotel, plan="pro").status_code == 200
    for month in ("05", "06"):
        clock(f"2026-{month}-01T00:01:00+00:00")
        assert cycle(hotel).status_code == 200
    collect(hotel)
    june = newest_invoice(hotel)
    assert refund_invoice(hotel, june, 1_400).status_code == 201

    again = refund_invoice(hotel, june, 1_400)

    assert_refused(again, 409, "REFUND_EXCEEDS_PAYMENT")
    assert abs(again.json["leftMicro"] - 9_000_000) <= 10_000
    assert broken(hotel) == []


def test_circles_beside_a_refund_are_nothing(hotel: Hotel, middle: str) -> None:
    """All of it is refunded: down credits nothing, up again costs nothing."""
    assert refund_invoice(hotel, first_invoice(hotel), 9_900).status_code == 201

    for plan in ("pro", "team", "free", "team"):
        assert change(hotel, plan=plan).status_code == 200

    assert totals(hotel) == [["change", 0]] * 4
    assert credit(hotel) == 0
    assert broken(hotel) == []


def test_a_refund_and_a_change_at_once_give_it_back_once(hotel: Hotel, middle: str) -> None:
    """99.00 are asked for while Team goes down to Pro: whoever is second finds what is left."""
    invoice = first_invoice(hotel)

    refunded, changed = at_once(
        [lambda: refund_invoice(hotel, invoice, 9_900), lambda: change(hotel, plan="pro")]
    )

    assert changed.status_code == 200
    if refunded.status_code == 201:
        assert credit(hotel) == 0
    else:
        assert refunded.status_code == 409
        assert abs(credit(hotel) - 3_500) <= 1
    assert broken(hotel) == []


def test_what_was_not_refunded_after_all_is_credited(hotel: Hotel, middle: str) -> None:
    """The processor refuses the 99.00: the 35.00 that the change did not credit are credited."""
    refund = new_id("rfd")
    assert refund_invoice(hotel, first_invoice(hotel), 9_900, id=refund).status_code == 201
    assert change(hotel, plan="pro").status_code == 200
    assert credit(hotel) == 0

    assert send(hotel, refund_told(middle, refund, 9_900, "failed", "refund.failed")) == "applied"

    assert abs(credit(hotel) - 3_500) <= 1
    assert [purpose for purpose, _ in totals(hotel)] == ["change", "change"]
    assert broken(hotel) == []


def test_a_refund_at_the_dashboard_takes_the_credit_back_once(hotel: Hotel, middle: str) -> None:
    """35.00 are credited, then all of 99.00 is refunded there: the credit goes by an invoice that
    it pays, once."""
    assert change(hotel, plan="pro").status_code == 200
    given = credit(hotel)
    assert abs(given - 3_500) <= 1

    for _ in range(2):
        assert send(hotel, refunded_there(middle, "re_1", 9_900)) == "applied"

    assert credit(hotel) == 0
    assert totals(hotel) == [["change", -given], ["taken_back", given]]
    assert invoices(hotel)[-1][3] == 0
    collect(hotel)
    assert broken(hotel) == []


def test_a_dispute_counts_while_it_runs_and_when_it_is_lost(hotel: Hotel, middle: str) -> None:
    """A bank holds 99.00: a change credits nothing. It is won: 35.00 are credited. Another one is
    lost: they are taken back."""
    send(hotel, disputed(middle, "dp_1", "needs_response", cents=9_900))
    assert change(hotel, plan="pro").status_code == 200
    assert credit(hotel) == 0
    send(hotel, disputed(middle, "dp_1", "won", cents=9_900))
    assert abs(credit(hotel) - 3_500) <= 1

    send(hotel, disputed(middle, "dp_2", "needs_response", cents=9_900))
    assert abs(credit(hotel) - 3_500) <= 1
    send(hotel, disputed(middle, "dp_2", "lost", cents=9_900))

    assert credit(hotel) == 0
    assert broken(hotel) == []
