"""What was paid ahead of a canceled stay is forfeited by the policy, given back, or left."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders
from jobs.retry_refunds import retry_refunds
from tests.depositing import (
    EIGHT_DAYS_BEFORE,
    TWO_DAYS_BEFORE,
    ahead,
    booked,
    canceled,
    ledger,
    move,
    paid_by_card,
    refunds,
    that_forfeits,
)
from tests.hotel import Hotel, usd, vat
from tests.moving import balances, cents, lines_of
from tests.nights import NEXT_DAY, room, run
from tests.proofs import assert_books_are_right
from tests.refunding import card_payment
from tests.trust.books import broken

pytestmark = pytest.mark.req("FOL-11", "EVT-3")

Clock = Callable[[str], None]
CONFIRMED, CHECKED_IN = "on_reservation_confirmed", "on_reservation_checked_in"
ASIDE = ("inbox", "idempotency_keys")
IN_TIME = "2026-02-27T10:30:00+00:00"


@pytest.fixture(autouse=True)
def _two_days_before(clock: Clock) -> None:
    """On the 27th of February: stays begin on the first of March."""
    clock(IN_TIME)


def test_gives_all_back_where_there_is_no_policy(hotel: Hotel) -> None:
    name, folio, payment = paid_by_card(hotel, 20_000)

    canceled(hotel, name)

    assert refunds(hotel) == [[payment, 20_000, None, None]]
    assert cents(lines_of(hotel, folio)) == [("payment", -20_000), ("refund", 20_000)]
    assert (balances(hotel, folio), ahead(hotel, folio)) == ([0], [0])
    assert hotel.rows("SELECT canceled_at IS NOT NULL FROM {s}.stays") == [[True]]
    assert broken(hotel) == []
    assert_books_are_right(hotel)


def test_forfeits_a_half_taxes_included_two_days_before(hotel: Hotel) -> None:
    """200.00 ahead, of which the house keeps 100.00: 90.91 and 9.09 of tax at 10 %. The other
    100.00 are promised to the card."""
    that_forfeits(hotel)
    name, folio, payment = paid_by_card(hotel, 20_000)

    canceled(hotel, name, TWO_DAYS_BEFORE)

    assert cents(lines_of(hotel, folio)) == [
        ("payment", -20_000), ("charge", 9_091), ("tax", 909), ("refund", 10_000),
    ]  # fmt: skip
    assert lines_of(hotel, folio)[1]["kind"] == "deposit"
    assert refunds(hotel) == [[payment, 10_000, None, None]]
    names = ("guest_ledger", "guest_deposits", "revenue:deposit", "tax_payable:VAT")
    assert ledger(hotel, *names, "card_clearing") == [0, 0, -9_091, -909, 10_000]
    assert broken(hotel) == []


@pytest.mark.parametrize(
    ("rules", "lines"),
    [
        ([vat(chargeKinds=["deposit"], inclusive=True)], [9_091, 909]),
        ([vat(chargeKinds=["deposit"], ratePpm=0)], [10_000, 0]),
        # 3.5 % of 87.84 are 3.07, and 10 % of both, 90.91, are 9.09
        (
            [
                vat(35_000, chargeKinds=["deposit"], code="LEVY", name="Levy", levy=True),
                vat(chargeKinds=["deposit"], order=1),
            ],
            [8_784, 307, 909],
        ),
    ],
    ids=["contained", "of nothing", "on a tax"],
)
def test_never_forfeits_more_than_its_part_whatever_the_taxes(
    hotel: Hotel, rules: list[dict[str, Any]], lines: list[int]
) -> None:
    """A half of 200.00."""
    that_forfeits(hotel, taxRules=rules)
    name, folio, _ = paid_by_card(hotel, 20_000)

    canceled(hotel, name, TWO_DAYS_BEFORE)

    kept = [amount for kind, amount in cents(lines_of(hotel, folio)) if kind in ("charge", "tax")]
    assert kept == lines
    assert refunds(hotel)[0][1] == 20_000 - sum(lines)
    assert broken(hotel) == []


def test_forfeits_a_cent_less_where_no_price_comes_to_the_part(hotel: Hotel) -> None:
    """Of 0.10 a half is 0.05. At 10 % a price of 0.04 bears nothing and one of 0.05 comes to 0.06:
    0.04 are kept, and 0.06 given back."""
    that_forfeits(hotel)
    name, folio, payment = paid_by_card(hotel, 10)

    canceled(hotel, name, TWO_DAYS_BEFORE)

    assert cents(lines_of(hotel, folio)) == [
        ("payment", -10), ("charge", 4), ("tax", 0), ("refund", 6),
    ]  # fmt: skip
    assert refunds(hotel) == [[payment, 6, None, None]]
    assert broken(hotel) == []


def test_is_free_until_the_day_that_the_policy_names(hotel: Hotel) -> None:
    """Told on the 27th, that the guest canceled on the 21st: eight days before."""
    that_forfeits(hotel)
    name, folio, payment = paid_by_card(hotel, 20_000)

    canceled(hotel, name, EIGHT_DAYS_BEFORE)

    assert refunds(hotel) == [[payment, 20_000, None, None]]
    assert [kind for kind, _ in cents(lines_of(hotel, folio))] == ["payment", "refund"]


@pytest.mark.parametrize(
    ("at", "kept"), [("2026-02-21T22:29:00Z", 0), ("2026-02-22T22:31:00Z", 10_000)]
)
def test_the_day_of_a_cancellation_ends_when_the_houses_does(
    hotel: Hotel, at: str, kept: int
) -> None:
    """Kabul's day closes at three at night, which is 22:30 the evening before in Greenwich: the one
    is of the 21st, the other of the 23rd, six days before."""
    that_forfeits(hotel)
    name, _, _ = paid_by_card(hotel, 20_000)

    canceled(hotel, name, at)

    assert refunds(hotel)[0][1] == 20_000 - kept


def test_what_came_another_way_is_left_for_a_clerk_who_is_told(hotel: Hotel) -> None:
    """50.00 by card, then 100.00 by bank, then 70.00 by card: of 220.00 the house keeps 110.00. Of
    the other half 70.00 go to the newest card and 40.00 to the older one."""
    that_forfeits(hotel)
    name, folio, older = paid_by_card(hotel, 5_000)
    hotel.paid(folio, usd(10_000), allowCredit=True)
    newest = card_payment(hotel, folio, usd(7_000), "sandbox_done")

    canceled(hotel, name, TWO_DAYS_BEFORE)

    assert sorted(refunds(hotel)) == sorted(
        [[newest, 7_000, None, None], [older, 4_000, None, None]]
    )
    (event,) = hotel.events("folio.stay_canceled")
    figures = [event["data"][name] for name in ("forfeited", "givenBack", "left")]
    assert figures == [usd(11_000), usd(11_000), usd(0)]
    assert broken(hotel) == []


@pytest.mark.req("REF-1", "JOB-1")
def test_the_job_makes_what_was_promised_once(hotel: Hotel) -> None:
    name, _, payment = paid_by_card(hotel, 20_000)
    canceled(hotel, name)
    hotel.rows("UPDATE {s}.refund_queue SET next_attempt_at = now() - interval '1 year'")

    done = hotel.house.wiring.job_shell.run(
        declaration_of(retry_refunds),  # type: ignore[arg-type]
        Orders(tenants=(hotel.tenant_id,)),
        stop=threading.Event(),
        tell=lambda _: None,
    )

    assert done.done == 1
    assert refunds(hotel) == [[payment, 20_000, None, "succeeded"]]
    assert broken(hotel) == []


@pytest.mark.req("FOL-9")
def test_who_was_charged_as_a_no_show_forfeits_nothing_more(hotel: Hotel, clock: Clock) -> None:
    """80.00 and 8.00 of a deposit of 200.00 are kept; told afterwards, 112.00 are given back."""
    that_forfeits(hotel, noShowFeePpm=800_000)
    name, _, payment = paid_by_card(hotel, 20_000)
    clock(NEXT_DAY)
    run(hotel)

    canceled(hotel, name)

    assert refunds(hotel) == [[payment, 11_200, None, None]]
    assert broken(hotel) == []


def test_all_folios_of_the_reservation_are_settled(hotel: Hotel) -> None:
    """The company has paid 100.00 ahead on a folio of its own: 50.00 are kept on each."""
    that_forfeits(hotel)
    name, folio, payment = paid_by_card(hotel, 10_000)
    company = hotel.open_folio(reservationId=name, window="company")
    other = card_payment(hotel, company, usd(10_000), "sandbox_done")

    canceled(hotel, name, TWO_DAYS_BEFORE)

    assert sorted(row[0] for row in refunds(hotel)) == sorted([payment, other])
    assert {row[1] for row in refunds(hotel)} == {5_000}
    assert (balances(hotel, folio, company), len(hotel.events("folio.stay_canceled"))) == (
        [0, 0],
        2,
    )
    assert broken(hotel) == []


def test_what_charges_have_taken_is_neither_forfeited_nor_given_back(hotel: Hotel) -> None:
    """A spa of 80.00 and 8.00 was booked ahead: of the 112.00 left the house keeps a half."""
    that_forfeits(hotel)
    name, folio, payment = paid_by_card(hotel, 20_000)
    hotel.charged(folio, "spa", 8_000)

    canceled(hotel, name, TWO_DAYS_BEFORE)

    assert refunds(hotel) == [[payment, 5_600, None, None]]
    assert broken(hotel) == []


@pytest.mark.req("PAY-4")
def test_what_was_moved_to_another_folio_is_not_given_back_here(hotel: Hotel) -> None:
    """100.00 ahead by card, and 60.00 of it moved: 40.00 go back, and no more could."""
    name, folio, payment = paid_by_card(hotel, 10_000)
    other = hotel.open_folio()
    move(hotel, folio, other, 6_000)

    canceled(hotel, name)

    assert refunds(hotel) == [[payment, 4_000, None, None]]
    assert broken(hotel) == []


@pytest.mark.req("MON-5")
def test_a_foreign_card_gets_back_no_more_than_the_folio_has(hotel: Hotel) -> None:
    """100.00 EUR at 1.10 are 110.00; a half is kept: 55.00, which are 50.00 EUR."""
    that_forfeits(hotel)
    name, folio = booked(hotel, room(1))
    card_payment(hotel, folio, {"amountMicro": 100_000_000, "currency": "EUR"}, "sandbox_done")

    canceled(hotel, name, TWO_DAYS_BEFORE)

    given = hotel.rows("SELECT paid_amount_micro, paid_currency, amount_micro FROM {s}.refunds")
    assert given == [[50_000_000, "EUR", 55_000_000]]
    assert balances(hotel, folio) == [0]
    assert broken(hotel) == []
