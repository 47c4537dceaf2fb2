"""The ids of charges of the platform's invoices, reckoned from those of the invoices (SUB-6).

The processor takes each payment under its id, once, whatever it is for. So whoever may choose the
id of a payment of theirs may not choose one of these: the processor would keep the charge for that
other payment, and never say what became of it.
"""

from typing import Final

from common.domain.identifiers import PaymentIntentId, SubscriptionInvoiceId

BASE32: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TRIALS_MAX: Final = 10_000
"""An invoice is charged a few times a week, and for a fortnight."""


def charge_id(invoice_id: SubscriptionInvoiceId, trial: int) -> PaymentIntentId:
    """The id of a trial to charge an invoice: the first one's is the invoice's own ULID."""
    return PaymentIntentId.of(_moved(invoice_id.ulid, trial - 1))


def invoices_charged_as(
    payment_id: PaymentIntentId,
) -> tuple[SubscriptionInvoiceId, SubscriptionInvoiceId]:
    """The first and the last id that an invoice may have of which this may be a charge's."""
    last = payment_id.ulid
    first = SubscriptionInvoiceId.of(_moved(last, -TRIALS_MAX))
    return first, SubscriptionInvoiceId.of(last)


def _moved(ulid: str, by: int) -> str:
    """The ULID so many places behind one, of the same millisecond."""
    number = 0
    for letter in ulid:
        number = number * 32 + BASE32.index(letter)
    number = (number >> 80 << 80) | ((number + by) % 2**80)
    return "".join(BASE32[number >> 5 * place & 31] for place in reversed(range(26)))
