"""A guest's bill that prepaid credits settle, and what comes back of them (BEY-4, BEY-9, CRD-2).

Credits are sold by the platform and owed by it. Who takes them for a bill has a claim in money: the
folio is paid, and the platform owes the house what it owed the account before. So the credits leave
`outstanding` for `owed_to_house` in the book of credits, and in the house's ledger the payment
comes into `credits_clearing`: what the platform still has to pay the house.

A payment is in the currency that credits are sold for, and takes so many micro credits to a micro
unit as the settings say when it is made: a whole number, so that nothing is ever rounded. What
comes back of it goes by that same rate, whatever the settings say by then. Nothing of a plan is for
free here: an allowance, or a plan without limits, is for the platform's own services and pays no
bill.

A refund gives credits back to the very lots that they were taken of, what was taken last first. So
a purchase that is taken back finds its own, and what comes back of one pays the account's debt
first, as a purchase does. Of a lot that has expired meanwhile, they come back as a lot of source
`refund` that lasts as long as they had still to last when they paid: a guest loses nothing by a
bill that was wrong, and gains no time that there was not. For whoever takes that lot's grant back
they were used: what came back in their place is another's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from common.domain.dataclass import dataclass
from common.domain.identifiers import CreditLotId, FolioId, PaymentId, RefundId
from common.domain.moment import Moment
from common.domain.money import CurrenciesDiffer, Money
from common.domain.payment import Payment
from common.domain.prepaid_account import CreditAccount, CreditsMoved, EntryKind
from common.domain.prepaid_lot import CreditLot, CreditSource, LotShare, in_turn, spread
from common.domain.prepaid_terms import CreditTerms
from common.domain.refund import Refund
from common.domain.refusal import Forbidden

SPENDING: Final = "billing.credits.write"
"""What whoever spends credits may do; a folio is no way around it."""
FOLIO: Final = "folio"
"""The service that bills are settled for."""

Taken = tuple[CreditLot, int]


class CreditSpendingForbidden(Forbidden):
    code = "CREDIT_SPENDING_FORBIDDEN"
    title = "Who settles with credits has to be allowed to spend them"


@dataclass(frozen=True, slots=True)
class Redemption:
    """When a payment took its credits, and what of which lot has not come back yet."""

    at: datetime
    left: dict[CreditLotId, int]


@dataclass(frozen=True, kw_only=True)
class CreditsRedeemed(CreditsMoved):
    """Credits settled a guest's bill, or a part of it."""

    name = "credits.redeemed"
    folio_id: FolioId
    payment_id: PaymentId


@dataclass(frozen=True, kw_only=True)
class CreditsRestored(CreditsMoved):
    """Credits that had settled a bill came back by a refund."""

    name = "credits.restored"
    folio_id: FolioId
    payment_id: PaymentId
    refund_id: RefundId


def credits_for(paid: Money, terms: CreditTerms) -> int:
    """How many micro credits an amount is. Refuses: CurrenciesDiffer."""
    if paid.currency != terms.currency:
        raise CurrenciesDiffer(
            f"Credits are sold for {terms.currency}, and pay in that.",
            currency=paid.currency,
            creditsCurrency=terms.currency,
        )
    return paid.amount_micro * terms.per_currency_unit


def redeem(account: CreditAccount, payment: Payment, moment: Moment) -> CreditsRedeemed:
    """Let credits settle a bill, all that it takes or nothing. Refuses: InsufficientCredits."""
    micro = payment.credits_micro or 0
    account.end_holds(moment)
    account.must_have(micro, moment.now)
    taken = spread(account.lots, micro, moment.now)
    account.move(EntryKind.REDEEM, _shares(taken, -1), moment, service=FOLIO, reference=payment.id)
    redeemed: CreditsRedeemed = account.told(
        CreditsRedeemed, folio_id=payment.folio_id, payment_id=payment.id
    )
    return redeemed


def restore(
    account: CreditAccount,
    payment: Payment,
    refund: Refund,
    redemption: Redemption,
    moment: Moment,
) -> CreditsRestored:
    """Give credits of a payment back, by its own rate. Refuses: CreditsOutOfRange."""
    account.end_holds(moment)
    rate = (payment.credits_micro or 0) // payment.paid.amount_micro
    back = _given_back(account, redemption, refund.paid.amount_micro * rate)
    account.move(
        EntryKind.RESTORE,
        _shares(back, 1),
        moment,
        service=FOLIO,
        reference=refund.id,
        reason=refund.reason,
    )
    account.pay_debt([each for each in back if not each[0].is_expired(moment.now)], moment)
    _replace(
        account,
        [each for each in back if each[0].is_expired(moment.now)],
        redemption.at,
        refund,
        moment,
    )
    restored: CreditsRestored = account.told(
        CreditsRestored,
        folio_id=payment.folio_id,
        payment_id=payment.id,
        refund_id=refund.id,
        reason=refund.reason,
    )
    return restored


def _given_back(account: CreditAccount, redemption: Redemption, micro: int) -> list[Taken]:
    """How many micro credits come back to which lots; as many were taken, or ValueError."""
    back = []
    for lot in reversed(in_turn(account.lots)):
        part = min(micro, redemption.left.get(lot.id, 0))
        if part > 0:
            back.append((lot, part))
            micro -= part
    if micro:
        raise ValueError(f"{micro} micro credits more than the payment has taken")
    return back


def _replace(
    account: CreditAccount,
    gone: Sequence[Taken],
    redeemed_at: datetime,
    refund: Refund,
    moment: Moment,
) -> None:
    """Put a lot in the place of what came back to lots that have expired meanwhile."""
    lasts = [lot.expires_at - redeemed_at for lot, _ in gone if lot.expires_at is not None]
    if not lasts:
        return
    account.move(EntryKind.EXPIRE, _shares(gone, -1), moment)
    lot_id, micro = moment.new_id(CreditLotId), sum(part for _, part in gone)
    account.opens(
        CreditLot(
            id=lot_id,
            account_id=account.id,
            root_id=lot_id,
            source=CreditSource.REFUND,
            source_key=f"restored:{refund.id}",
            granted_micro=micro,
            granted_at=moment.now,
            expires_at=moment.now + max(lasts),
        )
    )
    brought = LotShare(lot_id=lot_id, amount_micro=micro)
    account.move(EntryKind.GRANT, (brought,), moment, reason=refund.reason)


def _shares(taken: Sequence[Taken], sign: int) -> list[LotShare]:
    return [LotShare(lot_id=lot.id, amount_micro=sign * part) for lot, part in taken]
