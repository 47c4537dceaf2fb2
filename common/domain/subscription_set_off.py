"""A tenant's credit pays what is open of its subscription before anybody is asked to (SUB-5).

Who owes an invoice and goes down to a cheaper plan has a credit for the rest of the dearer one. It
is set off against what is open, the oldest first: the document that brings the credit says against
which invoice, and only what is left of that is charged and dunned (SUB-7). An invoice never
changes; that a credit has paid a part of it is booked beside it, as a payment is.

A charge for the whole may be under way at the processor then. Where its money comes all the same,
it pays the invoice, and what is beyond what was left is the tenant's credit again: as if it had
come before. So no order of the two takes more than was owed, nor gives back more than was paid:
money goes back of what money has paid, and a credit is never given twice.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, TypeVar

from common.domain.dataclass import dataclass
from common.domain.identifiers import SubscriptionInvoiceId
from common.domain.money import Money
from common.domain.subscription import Subscription, SubscriptionFact
from common.domain.subscription_invoice import SetOff, SubscriptionInvoice
from common.domain.subscription_payment import BAD_DEBT, SubscriptionPayment

CREDIT: Final = "customer_credit"
SET_OFF: Final = "set_off:"
GIVEN_BACK: Final = "set_off_back:"
F = TypeVar("F", bound=SubscriptionFact)


@dataclass(frozen=True, kw_only=True)
class SetOffGivenBack(SubscriptionFact):
    """Money has paid what a credit had: that is the tenant's again, and pays what else is open."""

    name = "subscription.set_off_given_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOffMoved:
    """So much from the credited account to the debited one: what a credit pays of an invoice by
    what `source` names, or what of that is a credit again."""

    invoice_id: SubscriptionInvoiceId
    source: str
    part: int
    debit: str
    credit: str
    amount: Money

    @property
    def more(self) -> Money:
        """What the credit pays more of the invoice; below zero where it pays less."""
        return self.amount if self.debit == CREDIT else -self.amount


def with_set_off(fact: F, open_: Iterable[SubscriptionInvoice]) -> F:
    """The fact, whose bill sets off what it leaves of the credit against what is open."""
    bill = fact.bill
    if bill is None:
        return fact
    return replace(fact, bill=replace(bill, set_off=_paid_of(fact.subject, open_)))


def set_off_by(source: str, shares: Iterable[SetOff]) -> tuple[SetOffMoved, ...]:
    """How what a credit pays of each invoice is booked; the credit was of `source`."""
    return tuple(
        SetOffMoved(
            invoice_id=each.invoice_id,
            source=f"{SET_OFF}{source}",
            part=part,
            debit=CREDIT,
            credit="receivable",
            amount=each.amount,
        )
        for part, each in enumerate(shares)
    )


def give_back_set_off(
    subscription: Subscription,
    invoice: SubscriptionInvoice,
    payment: SubscriptionPayment,
    others: Iterable[SubscriptionInvoice],
) -> tuple[SetOffGivenBack, tuple[SetOffMoved, ...]] | None:
    """A payment of more than was left of an invoice makes so much of what was set off a credit
    again, which pays what `others` owe; None for what is not beyond it.

    Raises ValueError for more than was ever due.
    """
    beyond = payment.amount - invoice.left
    if beyond.amount_micro <= 0:
        return None
    if beyond > invoice.set_off:
        raise ValueError(f"{payment.id} has taken more than {invoice.id} came to")
    back = SetOffMoved(
        invoice_id=invoice.id,
        source=f"{GIVEN_BACK}{payment.id}",
        part=0,
        debit="receivable" if invoice.given_up_at is None else BAD_DEBT,
        credit=CREDIT,
        amount=beyond,
    )
    invoice.set_off -= beyond
    subscription.credit += beyond
    rest = set_off_by(payment.id, _paid_of(subscription, others))
    return subscription.told(SetOffGivenBack), (back, *rest)


def _paid_of(
    subscription: Subscription, open_: Iterable[SubscriptionInvoice]
) -> tuple[SetOff, ...]:
    """What the credit pays of each invoice, which it is taken off."""
    shares = []
    for invoice in open_:
        amount = min(subscription.credit, invoice.left)
        if amount.amount_micro <= 0:
            continue
        subscription.credit -= amount
        shares.append(
            SetOff(
                invoice_id=invoice.id,
                number=invoice.number,
                payload_sha256=invoice.payload_sha256.hex(),
                amount=amount,
            )
        )
    return tuple(shares)
