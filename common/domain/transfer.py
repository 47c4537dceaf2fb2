"""A transfer: charges, or a part of them, move to another folio of the property (FOL-7).

Nothing is deleted. What leaves one folio is taken away there by the lines that correct it: a charge
that moves whole is voided, a part of one is an adjustment. What arrives is the opposite of exactly
those lines, posted anew with ids of its own; each names the line that took it away. So both folios
are right by the rules that they are right by anyhow: a charge that has moved cannot be voided where
it was, and can where it is; each line of an invoice bears the rates that it was charged at.

Prices move to the minor unit, taxes at the rates they bear and to the micro unit, whatever the
rules and the guest of the other folio are. What a folio shows of a tax is its own sum, rounded by
the tenant's rule: where tax is rounded once an invoice, that is once for each of the two (TAX-3).

A part is split among the charges by what they cost, and the parts sum to it (MON-3). Taxes by the
night and by the person are owed for nights, not for money, and stay with the charge until all of
it moves. So does a charge that went untaxed for want of a rule: its nights are still to be taxed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial

from common.domain.charge import UNTAXED_ALLOWED, ChargeUnknown
from common.domain.correction import adjust, of_charge, opposite, price_of, reverse
from common.domain.dataclass import dataclass
from common.domain.folio import Folio, LinesPosted
from common.domain.folio_line import Line, LineType, Posting, postings
from common.domain.identifiers import AdjustmentId, ChargeId, FolioId, TaxLineId
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.refusal import Unmet
from common.domain.tax import PPM


class TransferToSameFolio(Unmet):
    code = "TRANSFER_SAME_FOLIO"
    title = "A transfer goes to another folio"


class TransferCrossProperty(Unmet):
    code = "TRANSFER_CROSS_PROPERTY"
    title = "A transfer stays within its property"


class TransferExceedsCharges(Unmet):
    code = "TRANSFER_EXCEEDS_CHARGES"
    title = "The transfer is more than what the charges come to"


class UntaxedChargeSplit(Unmet):
    code = "UNTAXED_CHARGE_SPLIT"
    title = "A charge that waits for its tax rule moves as a whole"


@dataclass(frozen=True, kw_only=True)
class LinesTransferred(LinesPosted):
    """Lines left one folio for another: what either of them has of it."""

    name = "folio.lines_transferred"
    from_folio_id: FolioId
    to_folio_id: FolioId


@dataclass(frozen=True, slots=True)
class Transferred:
    """A transfer, as the folio that it left and the folio that it reached have it."""

    left: LinesTransferred
    reached: LinesTransferred


@dataclass(frozen=True, slots=True)
class _Moving:
    """A posting and the lines that took it, or a part of it, away."""

    model: Line
    taken: Posting
    is_part: bool


def transfer(
    source: Folio,
    target: Folio,
    lines: Sequence[Line],
    charge_ids: Iterable[ChargeId],
    reason: str,
    moment: Moment,
    *,
    amount: Money | None = None,
    share_ppm: int | None = None,
) -> Transferred:
    """Move charges to another folio: all of them, or an amount or a share of what they come to.

    `lines` are all lines that belong to them. What comes to all of a charge moves it whole, with
    its adjustments; one that nothing falls on stays. Refuses: TransferToSameFolio,
    TransferCrossProperty, CurrenciesDiffer, FolioAlreadyClosed, ChargeUnknown, ChargeAlreadyVoided,
    ChargeCredited, AmountNotPositive, TransferExceedsCharges, UntaxedChargeSplit.
    """
    must_go_together(source, target)
    named = tuple(dict.fromkeys(charge_ids))
    by_charge = {id: _lines_of(id, lines) for id in named}
    charges = [of_charge(by_charge[id]) for id in named]
    moving: list[_Moving] = []
    for id, charge, share in zip(named, charges, _shares(charges, amount, share_ppm), strict=True):
        if share is None:
            taken = postings(reverse(source, by_charge[id], reason, moment))
            moving += [_Moving(p.line, t, False) for p, t in zip(charge, taken, strict=True)]
        elif not share.is_zero:
            moving += _part(source, charge, share, reason, moment)
    left = tuple(line for each in moving for line in (each.taken.line, *each.taken.tax_lines))
    reached = _received(target, moving, reason, moment)
    told = partial(LinesTransferred, from_folio_id=source.id, to_folio_id=target.id)
    return Transferred(
        left=source.posted(told, left, reason=reason),
        reached=target.posted(told, reached, reason=reason),
    )


def must_go_together(source: Folio, target: Folio) -> None:
    """Two open folios of one property and currency.

    Refuses: TransferToSameFolio, TransferCrossProperty, CurrenciesDiffer, FolioAlreadyClosed.
    """
    if source.id == target.id:
        raise TransferToSameFolio()
    if source.property_id != target.property_id:
        raise TransferCrossProperty()
    Money.zero(source.currency) + Money.zero(target.currency)  # refuses another currency
    source.must_be_open()
    target.must_be_open()


def _lines_of(charge_id: ChargeId, lines: Iterable[Line]) -> list[Line]:
    found = [line for line in lines if line.charge_id == charge_id]
    if not found:
        raise ChargeUnknown(chargeId=charge_id)
    return found


def _shares(
    charges: Sequence[Sequence[Posting]], amount: Money | None, share_ppm: int | None
) -> Sequence[Money | None]:
    """What of each charge moves: None is all of it, taxes by the night and the person included.

    Refuses: CurrenciesDiffer, AmountNotPositive, TransferExceedsCharges.
    """
    if amount is None and share_ppm is None:
        return [None] * len(charges)
    prices = [price_of(charge) for charge in charges]
    total = Money.total(prices, prices[0].currency)
    wanted = total.times(share_ppm, PPM) if amount is None and share_ppm else amount
    if wanted is None or wanted <= Money.zero(total.currency):
        raise AmountNotPositive()
    if wanted > total:
        raise TransferExceedsCharges(chargesMicro=total.amount_micro, currency=total.currency)
    shares = wanted.allocate([price.minor_units for price in prices])
    return [
        None if share == price and not share.is_zero else share
        for share, price in zip(shares, prices, strict=True)
    ]


def _part(
    source: Folio, charge: Sequence[Posting], share: Money, reason: str, moment: Moment
) -> list[_Moving]:
    """Take a part of a charge off its folio."""
    first = charge[0].line
    if any(posting.line.untaxed == UNTAXED_ALLOWED for posting in charge):
        raise UntaxedChargeSplit(chargeId=first.id)
    taken = postings(adjust(source, charge, -share, first.description, reason, moment))
    return [_Moving(each.line, each, True) for each in taken]


def _received(
    target: Folio, moving: Iterable[_Moving], reason: str, moment: Moment
) -> tuple[Line, ...]:
    """Post what was taken away. A charge keeps its stretches and its adjustments; a part of one is
    a charge for each stretch that it falls on."""
    sums = target.tax_sums.copy()
    fresh: dict[ChargeId | None, ChargeId] = {}
    received: list[Line] = []
    for each in moving:
        was = each.model
        begins = each.is_part or was.id == was.charge_id
        if begins:
            fresh[was.charge_id] = moment.new_id(ChargeId)
        charge_id = fresh[was.charge_id]
        adjusts = was.type is LineType.ADJUSTMENT and not each.is_part
        kind = AdjustmentId if adjusts else ChargeId
        for line, amount, tax in opposite(each.taken, sums):
            posted = replace(
                line,
                id=moment.new_id(TaxLineId),
                type=LineType.TAX,
                window=target.window_for(None, line.kind),
                amount=amount,
                tax=tax,
                charge_id=charge_id,
                corrects=charge_id if adjusts else None,
                reason=reason,
                settings_version=was.settings_version,
                moved_from=line.id,
            )
            if tax is None:
                posted = replace(
                    posted,
                    id=charge_id if begins else moment.new_id(kind),
                    type=LineType.ADJUSTMENT if adjusts else LineType.CHARGE,
                    occupancy=was.occupancy,
                    quantity="1" if each.is_part else was.quantity,
                    unit_amount=-each.taken.taxation.price if each.is_part else was.unit_amount,
                )
            received.append(posted)
    written = target.add(*received)
    target.tax_sums = sums
    return written
