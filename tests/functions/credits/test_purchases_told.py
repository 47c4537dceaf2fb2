"""Credits are granted, and follow their money back, whoever hears first of it (CRD-3, CRD-5)."""

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from jobs.reconcile_credits import reconcile_credits
from jobs.settle_credit_purchases import settle_credit_purchases
from tests.buying import (
    bought,
    disputed,
    grants,
    payment_of,
    purchases,
    refunded,
    sales,
    shown,
)
from tests.hotel import Hotel, House
from tests.paying import acted, intent_told, run_job
from tests.prepaying import available, balance, deduct, entries
from tests.proofs import assert_books_are_right, told
from tests.together import at_once
from tests.trust.books import broken
from tests.webhooks import Webhook

pytestmark = pytest.mark.req("CRD-5", "WH-5")


def send(hotel: Hotel, about: dict) -> str:
    answer = Webhook(hotel).send(about)
    assert answer.status_code == 200, answer.text
    outcome: str = answer.json["outcome"]
    return outcome


def money(hotel: Hotel) -> int:
    """What is left of what was sold, in cents."""
    ((cents,),) = hotel.rows(
        "SELECT (sum(CASE credit_account WHEN 'credits_sold' THEN amount_micro ELSE -amount_micro"
        " END) / 10000)::bigint FROM {s}.credit_sale_entries"
    )
    figure: int = cents
    return figure


@pytest.mark.req("CRD-3", "WH-4")
def test_event_job_and_event_again_grant_once_between_them(hotel: Hotel, clock) -> None:
    clock("2026-03-01T12:00:00+00:00")
    purchase = bought(hotel, 500, "sandbox_3ds")
    acted(hotel, purchase)
    told_of = partial(intent_told, hotel, purchase, "succeeded", cents=500)
    clock("2026-03-01T12:05:00+00:00")

    at_once(
        [
            lambda: send(hotel, told_of()),
            lambda: run_job(hotel, settle_credit_purchases),
            lambda: send(hotel, told_of()),
        ]
    )
    assert send(hotel, told_of()) == "applied"

    assert grants(hotel) == [[f"purchase:{purchase}", 500]]
    assert purchases(hotel) == [["succeeded", 500, 500, False]]
    assert told(hotel).count("credit_purchase.succeeded") == 1
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("CRD-3", "WH-2")
def test_one_signed_event_grants_once_at_once_after_a_restart_and_forty_days_later(
    house: House, hotel: Hotel, clock
) -> None:
    """Five deliveries at one moment; another instance that remembers nothing; and forty days by
    the clock, when the processor signs the same event anew and no answer to a key is kept."""
    clock("2026-03-01T12:00:00+00:00")
    purchase = bought(hotel, 500, "sandbox_3ds")
    acted(hotel, purchase)
    told_of = intent_told(hotel, purchase, "succeeded", cents=500)

    first = at_once([lambda: send(hotel, told_of) for _ in range(5)])
    restarted = house.beside()
    again = send(replace(hotel, house=restarted), told_of)
    clock("2026-04-10T12:00:00+00:00")
    late = at_once(
        [lambda at=at: send(at, told_of) for at in 2 * [replace(hotel, house=restarted)]]
    )
    restarted.close()

    assert Counter(first) == {"applied": 1, "duplicate": 4}
    assert [again, *late] == 3 * ["duplicate"]
    assert grants(hotel) == [[f"purchase:{purchase}", 500]]
    assert available(hotel) == 500_000_000
    assert told(hotel).count("credit_purchase.succeeded") == 1
    assert_books_are_right(hotel)


@pytest.mark.req("WH-4")
def test_an_older_word_moves_nothing_back_and_another_amount_is_refused(hotel: Hotel) -> None:
    waiting = bought(hotel, 500, "sandbox_3ds")

    assert send(hotel, intent_told(hotel, waiting, "succeeded", cents=499)) == "refused"
    assert shown(hotel, waiting)["status"] == "requires_action"
    assert send(hotel, intent_told(hotel, waiting, "succeeded", cents=500)) == "applied"
    assert send(hotel, intent_told(hotel, waiting, "payment_failed")) == "applied"

    assert (shown(hotel, waiting)["status"], available(hotel)) == ("succeeded", 500_000_000)


@pytest.mark.req("BEY-7")
def test_a_refund_takes_back_what_it_bought_and_makes_a_debt_of_the_rest(hotel: Hotel) -> None:
    """500 for 5.00, 400 spent; 2.00 go back: 200 of which 100 are there, so 100 are owed."""
    purchase = bought(hotel, 500)
    deduct(hotel, 400)
    once = refunded(purchase, 200, "re_1")

    assert send(hotel, once) == "applied"
    assert send(hotel, refunded(purchase, 200, "re_1")) == "applied"

    assert entries(hotel)[-1] == ["claw_back", -100, 0, 100]
    assert (available(hotel), balance(hotel)["debtMicro"]) == (0, 100_000_000)
    assert (money(hotel), len(sales(hotel))) == (300, 2)
    assert_books_are_right(hotel)
    assert broken(hotel) == []


@pytest.mark.req("BEY-7")
def test_parts_that_do_not_divide_come_to_the_whole(hotel: Hotel) -> None:
    """1,000 at 3 to a dollar cost 333.33; thirds of 111.11 go back, and with the last all is."""
    hotel.write_settings(credits={"perCurrencyUnit": 3})
    purchase = bought(hotel, 1_000)
    left = []
    for number in range(3):
        send(hotel, refunded(purchase, 11_111, f"re_{number}"))
        left.append(available(hotel))

    assert left == [666_666_667, 333_333_334, 0]
    assert money(hotel) == 0
    assert broken(hotel) == []


@pytest.mark.req("BEY-7")
def test_a_dispute_takes_and_gives_back_once_won(hotel: Hotel) -> None:
    """Won, lost later: what was said first of the two stays; then a refund of the whole."""
    purchase = bought(hotel, 500)
    seen = []
    for status in ("warning_needs_response", "needs_response", "under_review", "won", "won"):
        assert send(hotel, disputed(purchase, 500, "dp_1", status)) == "applied"
        seen.append((available(hotel) // 1_000_000, money(hotel)))
    send(hotel, refunded(purchase, 500, "re_1"))

    assert seen == [(500, 500), (0, 0), (0, 0), (500, 500), (500, 500)]
    assert (available(hotel), money(hotel)) == (0, 0)
    assert broken(hotel) == []


def test_a_dispute_that_was_won_first_takes_nothing_later(hotel: Hotel) -> None:
    purchase = bought(hotel, 500)

    send(hotel, disputed(purchase, 500, "dp_1", "won"))
    send(hotel, disputed(purchase, 500, "dp_1", "needs_response"))

    assert (available(hotel), money(hotel)) == (500_000_000, 500)
    assert broken(hotel) == []


@pytest.mark.req("BEY-7", "CRD-5")
@pytest.mark.parametrize(
    ("spent", "disputed_cents", "at_first", "beside", "left", "owed"),
    [
        # 500 bought for 5.00. All are with the dispute, 2.00 go back: won, 500 - 200 are there.
        (0, 500, (0, 0), (0, 0), 300, 0),
        # 100 spent: 400 are taken and 100 owed. Won, 400 come and nothing is owed; 200 go.
        (100, 500, (0, 100), (0, 100), 200, 0),
        # 450 spent: won, 50 come; of 200 they are taken, and 150 of what was spent are owed.
        (450, 500, (0, 450), (0, 450), 0, 150),
        # Of 4.00 with the dispute 400 are taken; beside it 2.00 find 100. Won, 400 come, and 100
        # more of these are for the 2.00: 500 - 200.
        (0, 400, (100, 0), (0, 0), 300, 0),
    ],
)
def test_what_a_refund_asked_for_beside_a_dispute_stays_taken_when_that_is_won(
    hotel: Hotel,
    spent: int,
    disputed_cents: int,
    at_first: tuple[int, int],
    beside: tuple[int, int],
    left: int,
    owed: int,
) -> None:
    """Worked out by hand, in credits: what is available and owed, with the dispute, with the refund
    beside it, and when the dispute is won. Exact at once: a job finds nothing to do."""
    purchase = bought(hotel, 500)
    if spent:
        assert deduct(hotel, spent).status_code in (200, 201)
    send(hotel, disputed(purchase, disputed_cents, "dp_1", "needs_response"))
    assert standing(hotel) == at_first
    send(hotel, refunded(purchase, 200, "re_1"))
    assert standing(hotel) == beside

    for _ in range(2):
        send(hotel, disputed(purchase, disputed_cents, "dp_1", "won"))

    assert (standing(hotel), money(hotel)) == ((left, owed), 300)
    assert run_job(hotel, reconcile_credits).exit_code == 0
    assert standing(hotel) == (left, owed)
    assert broken(hotel) == []


@pytest.mark.req("WH-4", "REC-1")
@pytest.mark.parametrize("order", [("succeeded", "failed"), ("failed", "succeeded")])
def test_a_refund_that_fails_after_it_was_made_takes_nothing(
    hotel: Hotel, order: tuple[str, str]
) -> None:
    """2.00 of 5.00 went back and have come again: money and credits are as before, in whatever
    order that is heard."""
    purchase = bought(hotel, 500)
    for status in (*order, *order):
        sent = refunded(purchase, 200, "re_1")
        sent["data"]["object"]["status"] = status
        assert send(hotel, sent) == "applied"

    assert (standing(hotel), money(hotel)) == ((500, 0), 500)
    assert broken(hotel) == []


def standing(hotel: Hotel) -> tuple[int, int]:
    """What is available and what is owed, in credits."""
    found = balance(hotel)
    return found["availableMicro"] // 1_000_000, found["debtMicro"] // 1_000_000


def test_a_refund_and_a_dispute_at_once_take_back_once_what_there_is(hotel: Hotel) -> None:
    """Both of the whole: the credits go once, and the money twice, as the processor says."""
    purchase = bought(hotel, 500)

    at_once(
        [
            lambda: send(hotel, refunded(purchase, 500, "re_1")),
            lambda: send(hotel, disputed(purchase, 500, "dp_1", "needs_response")),
            lambda: send(hotel, refunded(purchase, 500, "re_1")),
        ]
    )

    assert (available(hotel), balance(hotel)["debtMicro"]) == (0, 0)
    assert len(sales(hotel)) == 3
    assert broken(hotel) == []


def test_money_that_goes_back_before_it_came_is_told_again_later(hotel: Hotel) -> None:
    """The refund overtakes the payment: 503, so that the processor sends it again."""
    purchase = bought(hotel, 500, "sandbox_3ds")
    early = refunded(purchase, 500, "re_1", metadata={"tenantId": str(hotel.tenant_id)})

    assert Webhook(hotel).send(early).status_code == 503
    assert send(hotel, intent_told(hotel, purchase, "succeeded", cents=500)) == "applied"
    assert send(hotel, early) == "applied"

    assert (available(hotel), payment_of(purchase)) == (0, shown_payment(hotel))
    assert broken(hotel) == []


def shown_payment(hotel: Hotel) -> str:
    ((payment,),) = hotel.rows("SELECT processor_payment_id FROM {s}.credit_purchases")
    name: str = payment
    return name
