"""A refund of the platform's money fails after it was made: it lies here, owed, until somebody has
given it back at the processor (WH-4, WH-5). The clock begins at noon of 1 March."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from jobs.retry_refunds import retry_refunds
from tests.charging import first_invoice, refund_invoice
from tests.hotel import Hotel, new_id
from tests.matching import differences, match
from tests.paying import run_job
from tests.prepaying import available
from tests.proofs import assert_books_are_right, told
from tests.together import at_once
from tests.webhooks import refund_told, refunded_there

from .test_money_that_goes_back import notes, paid, send, standing
from .test_refund_subscription_invoice import refunds

pytestmark = [pytest.mark.req("WH-4", "WH-5", "REF-1"), pytest.mark.usefixtures("noon")]
Clock = Callable[[str], None]
FAILED = ("failed", "refund.failed")


def lying(hotel: Hotel) -> int:
    """What lies here to be returned, in cents."""
    ((micro,),) = hotel.house.sql(
        "SELECT coalesce(sum(CASE credit_account WHEN 'payments_to_return' THEN amount_micro"
        "   ELSE -amount_micro END), 0)::bigint FROM billing_central.platform_reversal_entries"
        " WHERE tenant_id = :t AND 'payments_to_return' IN (debit_account, credit_account)",
        t=hotel.tenant_id,
    )
    cents: int = micro // 10_000
    return cents


def tell(hotel: Hotel, sent: dict[str, Any]) -> None:
    assert send(hotel, sent) == "applied"


def test_one_of_ours_lies_here_and_is_credited_once_however_it_goes(hotel: Hotel) -> None:
    """7.25 of 29.00 were given back and come again, told twice at once; then they go at the
    dashboard, come again, and go once more: one credit note, and 250 of 1,000 credits gone."""
    payment, refund = paid(hotel), new_id("rfd")
    assert refund_invoice(hotel, first_invoice(hotel), 725, id=refund).status_code == 201
    tell(hotel, refund_told(payment, refund, 725))
    sent = [refund_told(payment, refund, 725, *FAILED) for _ in range(2)]

    answers = at_once([lambda each=each: send(hotel, each) for each in sent])  # type: ignore[misc]

    assert answers == ["applied", "applied"]
    assert lying(hotel) == 725
    assert refunds(hotel) == [
        ["succeeded", None, 725],
        ["failed", "lost_or_stolen_card", 725],
    ]
    (fact,) = hotel.events("subscription_refund.came_back")
    assert (fact["data"]["cameBackOf"], fact["data"]["amount"]["amountMicro"]) == (
        refund,
        7_250_000,
    )
    assert_books_are_right(hotel)
    for again, left in (("re_1", 0), ("re_2", 0)):
        for _ in range(2):
            tell(hotel, refunded_there(payment, again, 725))
        assert lying(hotel) == left
        if again == "re_1":
            tell(hotel, refunded_there(payment, again, 725, *FAILED))
            assert lying(hotel) == 725
    tell(hotel, refunded_there(payment, "re_1", 725))
    tell(hotel, refund_told(payment, refund, 725))
    assert (notes(hotel), standing(hotel)) == ([[725, 0, 725]], ["partially_refunded", 725, 0, 0])
    assert (lying(hotel), available(hotel)) == (0, 750_000_000)
    assert told(hotel).count("subscription_refund.came_back") == 2
    assert_books_are_right(hotel)


def test_one_that_was_made_there_lies_here_beside_what_goes_back_otherwise(
    hotel: Hotel, clock: Clock
) -> None:
    """14.50 of 29.00 went back at the dashboard and come again; 5.00 that go there then are more,
    and 14.50 are they. Both sides agree before and after; of a refund that nobody knows nothing
    comes."""
    payment = paid(hotel)
    tell(hotel, refunded_there(payment, "re_1", 1_450))

    for refund in ("re_1", "re_1", "re_unknown"):
        tell(hotel, refunded_there(payment, refund, 1_450, *FAILED))

    assert (lying(hotel), notes(hotel)) == (1_450, [[1_450, 0, 1_450]])
    clock("2026-03-02T12:00:00+00:00")
    match(hotel, date(2026, 3, 1))
    assert not {way for way, _ in differences(hotel)} & {"refund_not_made"}
    tell(hotel, refunded_there(payment, "re_2", 500))
    assert (lying(hotel), notes(hotel)) == (1_450, [[1_450, 0, 1_450], [500, 0, 500]])
    tell(hotel, refunded_there(payment, "re_3", 1_450))
    assert (lying(hotel), standing(hotel)) == (0, ["partially_refunded", 1_950, 0, 0])
    assert_books_are_right(hotel)


def test_of_another_amount_it_is_refused_and_what_was_refused_first_stays(hotel: Hotel) -> None:
    """10.00 are no word about 14.50; what was never made does not come back."""
    payment, refund = paid(hotel), new_id("rfd")
    assert refund_invoice(hotel, first_invoice(hotel), 725, id=refund).status_code == 201
    tell(hotel, refunded_there(payment, "re_1", 1_450))

    assert send(hotel, refunded_there(payment, "re_1", 1_000, *FAILED)) == "refused"
    for _ in range(2):
        tell(hotel, refund_told(payment, refund, 725, *FAILED))

    assert (lying(hotel), refunds(hotel)) == (0, [["failed", "lost_or_stolen_card", 725]])
    assert run_job(hotel, retry_refunds).exit_code == 0
    assert_books_are_right(hotel)
