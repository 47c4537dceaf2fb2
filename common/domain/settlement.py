"""Settling a folio: it closes at zero, and only at zero.

What conversion between currencies leaves over, at most a minor unit for each foreign payment, is
taken up by a rounding line and reported; anything else that is still owed, or owed back, is refused
with its amount. So is a folio of which a refund is under way, as that may still come back. After
this the folio takes no line, and its invoice gets its number in the same transaction. Sums of tax
end with the document that they are rounded on. A folio that was opened again settles what came
since: it was at nothing before.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from common.domain.charge import TaxSums
from common.domain.dataclass import dataclass
from common.domain.folio import Folio, FolioStatus, LinesPosted
from common.domain.folio_line import MONEY, Line, LineType
from common.domain.fx import FxSnapshot
from common.domain.identifiers import FolioId, RoundingId, SettlementId
from common.domain.moment import Moment
from common.domain.money import Money
from common.domain.payment import Payment
from common.domain.refusal import Conflict


class RefundPending(Conflict):
    code = "REFUND_PENDING"
    title = "A refund of this folio is still under way"


class BalanceDue(Conflict):
    code = "BALANCE_DUE"
    title = "The folio does not balance"


@dataclass(frozen=True, slots=True, kw_only=True)
class FxShown:
    """A pinned rate beside today's, and what the difference is worth in the folio's currency.

    `difference` is what the foreign payments would be worth more (or, negative, less) today.
    """

    pinned: FxSnapshot
    today: FxSnapshot | None
    difference: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How a folio came to zero. `residual` is the part that only conversion left over.

    `payments` are those that the house has kept: less what was refunded.
    """

    id: SettlementId
    folio_id: FolioId
    charges: Money
    payments: Money
    residual: Money
    settled_at: datetime
    fx: tuple[FxShown, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FolioClosed(LinesPosted):
    name = "folio.closed"
    settlement: Settlement


def settle(
    folio: Folio, lines: Sequence[Line], payments: Sequence[Payment], moment: Moment
) -> FolioClosed:
    """Bring a folio to zero and close it; `lines` are those that are on no document yet,
    `payments` all that it has.

    Refuses: FolioAlreadyClosed, RefundPending, BalanceDue.
    """
    folio.must_be_open()
    if folio.pending_refunds:
        raise RefundPending(pendingRefunds=folio.pending_refunds)
    residual = folio.balance
    touched = {line.corrects or line.id for line in lines if line.type in MONEY}
    foreign = sum(each.is_foreign and each.is_kept and each.id in touched for each in payments)
    if abs(residual) > folio.residual_allowed(moment, foreign):
        raise BalanceDue(balanceMicro=residual.amount_micro, currency=folio.currency)
    settlement = Settlement(
        id=moment.new_id(SettlementId),
        folio_id=folio.id,
        charges=_total(folio, (line for line in lines if line.type not in MONEY)),
        payments=-_total(folio, (line for line in lines if line.type in MONEY)),
        residual=residual,
        settled_at=moment.now,
        fx=_fx_shown(folio, lines, payments, moment) if moment.settings.show_fx_at_close else (),
    )
    rounding = () if residual.is_zero else _absorb(folio, residual, moment)
    folio.tax_sums = TaxSums()
    folio.status = FolioStatus.CLOSED
    folio.closed_at = moment.now
    return folio.posted(FolioClosed, rounding, settlement=settlement)


def _absorb(folio: Folio, residual: Money, moment: Moment) -> tuple[Line, ...]:
    house = moment.settings.property(folio.property_id)
    return folio.add(
        Line(
            id=moment.new_id(RoundingId),
            type=LineType.ROUNDING,
            kind="rounding",
            description={"und": "rounding"},
            window=folio.window,
            amount=-residual,
            business_date=house.business_date(moment.now),
            settings_version=moment.settings.version,
        )
    )


def _total(folio: Folio, lines: Iterable[Line]) -> Money:
    return Money.total((line.amount for line in lines), folio.currency)


def _fx_shown(
    folio: Folio, lines: Iterable[Line], payments: Iterable[Payment], moment: Moment
) -> tuple[FxShown, ...]:
    paid_now = {line.id for line in lines}
    payments = [payment for payment in payments if payment.id in paid_now]
    today = {rate.base: rate for rate in moment.settings.rates_to(folio.currency)}
    shown = []
    for pinned in folio.rates.snapshots:
        kept = [each for each in payments if each.paid.currency == pinned.base and each.is_kept]
        if not kept:
            continue
        rate = today.get(pinned.base)
        worth = [rate.convert(each.left) - each.kept for each in kept] if rate else None
        difference = None if worth is None else Money.total(worth, folio.currency)
        shown.append(FxShown(pinned=pinned, today=rate, difference=difference))
    return tuple(shown)
