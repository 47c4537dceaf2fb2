"""A refund that was made fails beside a bank's claim of the same payment: nobody has the money
twice (WH-4, WH-5). Pro is 29.00 a month; the clock begins at noon of 1 March."""

import pytest

from tests.functions.receivables.test_payments_taken_back import HOLDS
from tests.functions.subscriptions.test_money_that_goes_back import paid, send, standing
from tests.functions.subscriptions.test_refunds_that_fail_afterwards import lying
from tests.hotel import Hotel
from tests.owing import paid_by_card, sums
from tests.proofs import state
from tests.trust.books import broken
from tests.webhooks import disputed, refund_told, refunded_there

from .test_claims_of_what_came_second import accounts, came_second, claim, refund_of, returned

pytestmark = [pytest.mark.req("WH-4", "WH-5"), pytest.mark.usefixtures("noon")]
FAILED = ("failed", "refund.failed")
KEPT_ASIDE = ("webhook_events", "webhook_bodies", "webhook_attempts")


def tell(hotel: Hotel, *sent: dict[str, object]) -> None:
    for each in sent:
        assert send(hotel, each) == "applied"


def test_a_company_whose_bank_has_the_money_is_not_credited_as_well(hotel: Hotel) -> None:
    """40.00 of 110.00 went back at the dashboard, and the bank asks for all 110.00, of which 70.00
    had not: all 110.00 are owed again. That the 40.00 come again is refused and kept, while the
    bank asks and when it has got them, which is a loss of 40.00."""
    account, payment = paid_by_card(hotel)
    tell(hotel, refunded_there(payment, "re_1", 4_000))
    for status, held in (("needs_response", {"disputed_funds": 4_000}), ("lost", {})):
        tell(hotel, disputed(payment, "dp_1", status, cents=11_000))

        assert send(hotel, refunded_there(payment, "re_1", 4_000, *FAILED)) == "refused"

        assert sums(hotel, account) == (0, 11_000, 0)
        assert dict(hotel.rows(HOLDS)).items() >= held.items()
    assert dict(hotel.rows(HOLDS)) == {"card_clearing": -4_000, "dispute_losses": 4_000}
    assert broken(hotel) == []


def test_a_company_that_lost_its_claim_has_it_to_its_credit(hotel: Hotel) -> None:
    """As above, but the bank gives up: told once more, 40.00 come again, and nothing is owed."""
    account, payment = paid_by_card(hotel)
    tell(hotel, refunded_there(payment, "re_1", 4_000))
    tell(hotel, disputed(payment, "dp_1", "needs_response", cents=11_000))
    tell(hotel, disputed(payment, "dp_1", "won", cents=11_000))

    tell(hotel, refunded_there(payment, "re_1", 4_000, *FAILED))

    assert sums(hotel, account) == (0, 0, 0)
    assert dict(hotel.rows(HOLDS)) == {"card_clearing": 11_000}
    assert broken(hotel) == []


def test_of_what_came_second_a_bank_has_got_nothing_lies_here(hotel: Hotel) -> None:
    """29.00 went back, and a bank has got them as well: that the refund fails is refused."""
    theirs = came_second(hotel)
    returned(hotel)
    claim(hotel, theirs, "lost")

    assert send(hotel, refund_told(theirs, refund_of(hotel), 2_900, *FAILED)) == "refused"

    assert accounts(hotel) == {"dispute_losses": 2_900, "processor_clearing": -2_900}
    assert broken(hotel) == []


def test_of_an_invoice_what_lies_here_goes_by_the_claim(hotel: Hotel) -> None:
    """10.00 and 14.50 of 29.00 went back, and the 14.50 came again: a bank gets all 29.00, of which
    14.50 are what lay here, and the others are lost. That the 10.00 come again then is refused."""
    payment = paid(hotel)
    tell(hotel, refunded_there(payment, "re_1", 1_450), refunded_there(payment, "re_2", 1_000))
    tell(hotel, refunded_there(payment, "re_1", 1_450, *FAILED))
    tell(hotel, disputed(payment, "dp_1", "needs_response", cents=2_900))
    assert lying(hotel) == 1_450

    tell(hotel, disputed(payment, "dp_1", "lost", cents=2_900))

    assert (lying(hotel), standing(hotel)) == (0, ["disputed", 2_450, 0, 1_450])
    assert broken(hotel) == []
    assert send(hotel, refunded_there(payment, "re_2", 1_000, *FAILED)) == "refused"
    assert lying(hotel) == 0


def test_of_a_claim_about_no_more_than_lies_here_nothing_is_lost(hotel: Hotel) -> None:
    """All 29.00 went back and came again, and a bank gets them, told twice. Where it asks for no
    more than had not gone back, what lies here stays: 19.00 of 29.00, beside 10.00."""
    payment = paid(hotel)
    tell(hotel, refunded_there(payment, "re_1", 2_900))
    tell(hotel, refunded_there(payment, "re_1", 2_900, *FAILED))

    tell(hotel, disputed(payment, "dp_1", "lost", cents=2_900))

    before = state(hotel, without=KEPT_ASIDE)
    again = disputed(payment, "dp_1", "lost", cents=2_900)
    tell(hotel, {**again, "id": f"{again['id']}_again"})
    assert state(hotel, without=KEPT_ASIDE) == before
    assert (lying(hotel), standing(hotel)) == (0, ["refunded", 2_900, 0, 0])
    assert broken(hotel) == []


def test_a_claim_about_what_had_not_gone_back_leaves_what_lies_here(hotel: Hotel) -> None:
    """10.00 of 29.00 went back and came again; a bank gets the other 19.00."""
    payment = paid(hotel)
    tell(hotel, refunded_there(payment, "re_1", 1_000))
    tell(hotel, refunded_there(payment, "re_1", 1_000, *FAILED))

    tell(hotel, disputed(payment, "dp_1", "lost", cents=1_900))

    assert (lying(hotel), standing(hotel)) == (1_000, ["disputed", 1_000, 0, 1_900])
    assert broken(hotel) == []
