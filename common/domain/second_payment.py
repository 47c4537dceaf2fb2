"""A payment that comes although its debt was paid: what of it is too much goes back (BEY-4).

A lease keeps others from a debt while the processor collects it (`collection_lease`), and still a
second payment may come: the guest confirms late, or holds a card to the terminal beside. That money
is in the house, and nothing refuses it: it is recorded, and what of it is more than was owed goes
back by itself, the way that it came, unless it was wanted as a deposit.

Of what a terminal or a link tells, nobody knows whether it was. There, what goes back is what
others have paid of the same debt; money that nobody else has paid is a deposit, as ever.
"""

from typing import Final

from common.domain.folio import Folio
from common.domain.identifiers import RefundId
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.payment import Payment
from common.domain.refund import RefundRecorded, give_back, most_of

REASON: Final = "More than was owed when the money came"


def beyond_the_debt(folio: Folio, payment: Payment, moment: Moment) -> Money:
    """What of the payment that a folio took last is more than was owed, in the folio's currency.

    What only conversion leaves over is not: closing takes that up.
    """
    over = min(folio.deposits_held, payment.amount)
    allowed = folio.residual_allowed(moment, int(payment.is_foreign))
    return over if over > allowed else Money.zero(folio.currency)


def taken_up(folio: Folio, standing: Money, payment: Payment) -> Money:
    """What of the debt others had paid before the payment that a folio took last.

    `standing` is what stood on it of all payments before. What stood there beyond what was owed
    was no payment of the debt.
    """
    ahead = max(folio.deposits_held - payment.amount, Money.zero(folio.currency))
    return max(standing - ahead, Money.zero(folio.currency))


def give_back_beyond(
    folio: Folio, payment: Payment, over: Money, moment: Moment
) -> RefundRecorded | None:
    """Promise what of a card's payment is not owed, `over` at most, in the folio's currency.

    None where that is less than the least that the payment's currency has. The payment stands on
    the folio in whole: it has just been taken. Refuses: FolioAlreadyClosed.
    """
    most = most_of(payment, over)
    if most.is_zero:
        return None
    return give_back(
        folio,
        payment,
        most,
        payment.amount,
        moment,
        id=moment.new_id(RefundId),
        reason=REASON,
        confirmed=None,
    )
