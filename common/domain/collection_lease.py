"""One debt is collected once, over whatever rail: card, link, cash, a company, credits (BEY-4).

Before the processor is asked for a payment of what a folio owes, a lease on that debt is taken, in
the transaction that says that it will be asked. A folio has one at most, by constraint, so nothing
is asked for twice at once. While it runs, who would take the same debt at the desk hears which
payment is under way and until when; what is owed besides may be paid.

It ends with its payment: taken, declined, canceled or lost. It ends by itself when the processor
would have been given up (`GIVEN_UP_AFTER`), because a guest at the desk does not wait for a
processor that does not answer, nor for a phone that is not answered.

So a second payment may still come; what becomes of it stands in `second_payment`.
"""

from datetime import datetime
from typing import TYPE_CHECKING

from common.domain.dataclass import dataclass
from common.domain.folio import Folio, Overpayment
from common.domain.identifiers import FolioId, PaymentIntentId
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.payment import PaymentMethod, PaymentUnderWay
from common.domain.processor_payment import GIVEN_UP_AFTER

if TYPE_CHECKING:  # who records a payment in cash loads nothing of how cards are asked
    from common.domain.payment_intent import PaymentIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A part of a folio's debt that one payment is collecting: `worth`, in the folio's currency."""

    folio_id: FolioId
    intent_id: PaymentIntentId
    worth: Money
    taken_at: datetime
    expires_at: datetime

    def runs(self, now: datetime) -> bool:
        """Whether it still keeps others away."""
        return now < self.expires_at

    def under_way(self) -> PaymentUnderWay:
        """What whoever else would collect the debt is told."""
        return PaymentUnderWay(
            "Wait for its word, cancel it, or take the debt otherwise after its time.",
            paymentIntentId=self.intent_id,
            amountMicro=self.worth.amount_micro,
            currency=self.worth.currency,
            until=self.expires_at.isoformat(),
        )


def take_lease(
    folio: Folio, intent: "PaymentIntent", held: Lease | None, moment: Moment
) -> Lease | None:
    """The lease of a payment on the debt that it is to collect; None where it collects none.

    `held` is the lease that the folio has, running or not. What is no longer owed is not asked for,
    unless as a deposit. Refuses: Overpayment, PaymentUnderWay, FxRateMissing.
    """
    worth, owed = folio.convert(intent.amount), _owed(folio)
    is_foreign = intent.amount.currency != folio.currency
    over = worth - owed
    if over > folio.residual_allowed(moment, int(is_foreign)) and not intent.allow_credit:
        raise Overpayment(balanceMicro=folio.balance.amount_micro, currency=folio.currency)
    part = min(worth, owed)
    if part.is_zero:
        return None
    if held is not None and held.runs(moment.now):
        raise held.under_way()
    return Lease(
        folio_id=folio.id,
        intent_id=intent.id,
        worth=part,
        taken_at=moment.now,
        expires_at=moment.now + GIVEN_UP_AFTER,
    )


def must_leave_to(
    held: Lease | None, folio: Folio, method: PaymentMethod, paid: Money, moment: Moment
) -> None:
    """Take no part of a debt that is being collected; what is owed besides is free.

    A folio that owes nothing has no debt to collect: what comes then is a deposit, or refused as
    an overpayment. What a card's terminal has captured is in the house, and is recorded. Refuses:
    PaymentUnderWay, FxRateMissing.
    """
    owed = _owed(folio)
    if held is None or owed.is_zero or not held.runs(moment.now):
        return
    if method is not PaymentMethod.CARD and folio.convert(paid) > owed - min(held.worth, owed):
        raise held.under_way()


def must_not_run(held: Lease | None, moment: Moment) -> None:
    """A folio of which a payment is under way does not close: what comes late has to go back.

    Refuses: PaymentUnderWay.
    """
    if held is not None and held.runs(moment.now):
        raise held.under_way()


def _owed(folio: Folio) -> Money:
    return max(folio.balance, Money.zero(folio.currency))
