"""A canceled stay: it is charged no night, and what was paid ahead is given back or forfeited.

Up to so many days before the arrival the house keeps nothing; later it keeps a part of what the
guest has paid ahead, as the tenant's policy says, and nothing where there is none (FOL-11). What is
forfeited is a charge of the kind `deposit`, taxed as any other, and the part is what it comes to
with its taxes: so it never takes more than what the folio is in credit by. Who was charged as a
no-show has left the house its part already, and who is in the house has not canceled.

The rest is to be given back the way it came. The newest payments go first. Cards are promised
theirs at once, by nobody's confirmation but the policy's, and the processor is asked as for every
refund. What came by another way stays on the folio, and a clerk is told how much that is.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from common.domain.charge import Charge, portions
from common.domain.dataclass import dataclass
from common.domain.folio import Folio, FolioFact
from common.domain.folio_line import ChargeKind, Source, Text
from common.domain.identifiers import ChargeId, RefundId
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.payment import Payment, PaymentMethod
from common.domain.refund import RefundRecorded, give_back, most_of
from common.domain.settings import CancellationPolicy
from common.domain.stay_plan import StayPlan
from common.domain.tax import PPM

FORFEITED: Final[Text] = {
    "en": "Deposit forfeited on cancellation",
    "de": "Einbehaltene Anzahlung bei Stornierung",
    "fr": "Acompte conservé pour annulation",
    "fa": "پیش‌پرداخت نگهداشته‌شده به سبب لغو ریزرف",
    "ps": "د ریزرف د لغوه کېدو له امله ساتل شوې مخکې ورکړه",
    "ar": "عربون محتجز بسبب الإلغاء",
}
REASON: Final = "the reservation was canceled"


@dataclass(frozen=True, kw_only=True)
class StayCanceled(FolioFact):
    """A folio's reservation was canceled: what became of what had been paid ahead on it.

    `left` is for a clerk to give back: it did not come by card.
    """

    name = "folio.stay_canceled"
    canceled_on: date
    forfeited: Money
    given_back: Money
    left: Money


@dataclass(frozen=True, slots=True)
class Held:
    """A folio of a reservation with its stay, if it has one; its payments, the newest first; and
    what stands on it of them."""

    folio: Folio
    plan: StayPlan | None
    payments: Sequence[Payment]
    standing: Money


def forfeited(held: Held, arrival: date | None, on: date, moment: Moment) -> Charge | None:
    """The charge by which the house keeps its part; None where it keeps nothing.

    Refuses: TaxRuleMissing, CurrenciesDiffer (a fixed tax in another currency).
    """
    policy = moment.settings.cancellation_policy
    gone = held.plan is not None and held.plan.no_show_on is not None
    if policy is None or arrival is None or gone:
        return None
    part = _part(policy, held.folio.deposits_held, (arrival - on).days)
    price = _price_of(held.folio, part, moment)
    return _charge(held.folio, price, moment) if price.amount_micro > 0 else None


def _part(policy: CancellationPolicy, deposit: Money, days_before: int) -> Money:
    """What the house keeps of a deposit, taxes included."""
    if days_before >= policy.free_until_days_before:
        return Money.zero(deposit.currency)
    return deposit.times(policy.forfeit_ppm, PPM)


def _price_of(folio: Folio, gross: Money, moment: Moment) -> Money:
    """The highest price that with its taxes comes to no more than `gross`.

    What a price comes to grows with it, so it is found by halving; with one rate on top it comes to
    `gross` itself, save where no price to the minor unit does.
    """
    low, high = 0, gross.minor_units
    while low < high:
        middle = (low + high + 1) // 2
        price = Money.of_minor_units(middle, folio.currency)
        if _comes_to(folio, price, moment) <= gross:
            low = middle
        else:
            high = middle - 1
    return Money.of_minor_units(low, folio.currency)


def _comes_to(folio: Folio, price: Money, moment: Moment) -> Money:
    charge = _charge(folio, price, moment)
    found = portions(charge, folio.occasion(charge, moment), folio.tax_sums.copy(), moment)
    parts = [each.parts for each in found]
    return Money.total(
        (amount for each in parts for amount in (each.net, *(tax.amount for tax in each.taxes))),
        folio.currency,
    )


def _charge(folio: Folio, price: Money, moment: Moment) -> Charge:
    return Charge(
        id=moment.new_id(ChargeId),
        kind=ChargeKind.DEPOSIT,
        description=FORFEITED,
        quantity="1",
        unit_amount=price,
        amount=price,
        source=Source.PROPERTY_SYSTEM,
        external_reference=f"canceled:{folio.id}",
        persons=0,
    )


def give_back_ahead(held: Held, moment: Moment) -> Iterable[RefundRecorded]:
    """Promise cards what the folio is in credit by, the newest payment first.

    Refuses: FolioAlreadyClosed.
    """
    standing = held.standing
    for payment in held.payments:
        free = min(held.folio.deposits_held, standing)
        paid = most_of(payment, free)
        if payment.method is not PaymentMethod.CARD or free.is_zero or paid.is_zero:
            continue
        id = moment.new_id(RefundId)
        given = give_back(
            held.folio, payment, paid, standing, moment, id=id, reason=REASON, confirmed=None
        )
        standing -= given.refund.amount
        yield given
