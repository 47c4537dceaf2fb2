"""Corrections of a charge: reversing it, or moving its amount. Nothing is ever deleted.

A void writes the opposite of every line that still stands for the charge: the charge itself, its
taxes, its adjustments. It takes back exactly what was asked for them; where tax is rounded per
invoice, the tax that goes with it is what the group's rounded sum falls by (TAX-3).

An adjustment adds a signed amount in the terms that the charge was priced in, taxed at the rates
that the charge bears, and may take away what the charge came to, but not more. Where the nights of
a charge bear different rates, it is split among them by what they cost. A charge that was posted
untaxed is corrected untaxed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from common.domain.charge import (
    AdjustmentExceedsCharge,
    ChargeAlreadyVoided,
    ChargeCredited,
    ChargeUnknown,
    Occasion,
    TaxSums,
    taxed_alike,
)
from common.domain.dataclass import dataclass
from common.domain.folio import Folio, LinesPosted
from common.domain.folio_line import Line, LineType, Posting, Text, standing
from common.domain.identifiers import AdjustmentId, VoidId
from common.domain.moment import Moment
from common.domain.money import AmountNotPositive, Money
from common.domain.tax import TaxAmount, Taxation


@dataclass(frozen=True, kw_only=True)
class ChargeVoided(LinesPosted):
    name = "charge.voided"


@dataclass(frozen=True, kw_only=True)
class ChargeAdjusted(LinesPosted):
    name = "charge.adjusted"


def void_charge(folio: Folio, lines: Iterable[Line], reason: str, moment: Moment) -> ChargeVoided:
    """Reverse what stands of a charge; `lines` are all lines that belong to it.

    Refuses: FolioAlreadyClosed, ChargeUnknown, ChargeAlreadyVoided, ChargeCredited.
    """
    folio.must_be_open()
    return folio.posted(ChargeVoided, reverse(folio, lines, reason, moment), reason=reason)


def reverse(folio: Folio, lines: Iterable[Line], reason: str, moment: Moment) -> tuple[Line, ...]:
    """Write the opposite of what stands of a charge; `lines` are all lines that belong to it.

    Refuses: ChargeUnknown, ChargeAlreadyVoided, ChargeCredited.
    """
    postings = of_charge(lines)
    today = moment.settings.property(folio.property_id).business_date(moment.now)
    sums = folio.tax_sums.copy()
    written = folio.add(
        *(
            reversal
            for posting in postings
            for reversal in _reversals(posting, sums, today, reason, moment)
        )
    )
    folio.tax_sums = sums
    return written


def adjust_charge(
    folio: Folio, lines: Iterable[Line], amount: Money, text: Text, reason: str, moment: Moment
) -> ChargeAdjusted:
    """Move what a charge came to by a signed amount; `lines` are all lines that belong to it.

    Refuses: FolioAlreadyClosed, ChargeUnknown, ChargeAlreadyVoided, ChargeCredited,
    AmountNotPositive (for zero), AdjustmentExceedsCharge, CurrenciesDiffer, AmountNotInMinorUnits.
    """
    folio.must_be_open()
    written = adjust(folio, of_charge(lines), amount, text, reason, moment)
    return folio.posted(ChargeAdjusted, written, reason=reason)


def adjust(
    folio: Folio,
    postings: Sequence[Posting],
    amount: Money,
    text: Text,
    reason: str,
    moment: Moment,
) -> tuple[Line, ...]:
    """Write what moves a charge by a signed amount; `postings` are what stands of it.

    Refuses: AmountNotPositive (for zero), AdjustmentExceedsCharge, CurrenciesDiffer,
    AmountNotInMinorUnits.
    """
    charge = postings[0].line
    if amount.in_minor_units().is_zero:
        raise AmountNotPositive()
    price = price_of(postings)
    if (price + amount).amount_micro < 0:
        raise AdjustmentExceedsCharge(remainingMicro=price.amount_micro)
    house = moment.settings.property(folio.property_id)
    on = charge.service_date or charge.business_date
    sums = folio.tax_sums.copy()
    written: tuple[Line, ...] = ()
    for posting, share in _by_stretch(postings, amount):
        parts = taxed_alike(
            share,
            posting.taxation.taxes,
            Occasion(house=house, kind=charge.kind, on=posting.line.service_date or on),
            sums,
            moment,
        )
        line = replace(
            posting.line,  # its settings version too: the rates are the charge's
            id=moment.new_id(AdjustmentId),
            type=LineType.ADJUSTMENT,
            description=text,
            amount=parts.net,
            business_date=house.business_date(moment.now),
            quantity=None,
            unit_amount=None,
            external_reference=None,
            corrects=charge.id,
            reason=reason,
            occupancy=None,
            moved_from=None,
        )
        written += folio.add_taxed(line, parts, moment)
    folio.tax_sums = sums
    return written


def price_of(postings: Sequence[Posting]) -> Money:
    """What postings come to, in the terms that they were priced in."""
    prices = [posting.taxation.price for posting in postings]
    return Money.total(prices, prices[0].currency)


def opposite(posting: Posting, sums: TaxSums) -> Iterable[tuple[Line, Money, TaxAmount | None]]:
    """Each line of a posting with what undoes it: the price to the minor unit, and of each tax
    what the rounded sum of its group moves by; `sums` move on."""
    before = posting.taxation
    after = sums.posted(Taxation.of(-before.net, [-tax for tax in before.taxes]))
    lines = (posting.line, *posting.tax_lines)
    amounts = (after.net, *(tax.amount for tax in after.taxes))
    return zip(lines, amounts, (None, *after.taxes), strict=True)


def _by_stretch(postings: Sequence[Posting], amount: Money) -> Iterable[tuple[Posting, Money]]:
    """The stretches of a charge that an amount falls on, each with its share; none of nothing."""
    charges = [posting for posting in postings if posting.line.type is LineType.CHARGE]
    shares = amount.allocate([posting.taxation.price.minor_units for posting in charges])
    return [pair for pair in zip(charges, shares, strict=True) if not pair[1].is_zero]


def of_charge(lines: Iterable[Line]) -> Sequence[Posting]:
    """What stands of a charge: the charge first, then its adjustments.

    Refuses: ChargeUnknown, ChargeCredited, ChargeAlreadyVoided.
    """
    every = tuple(lines)
    if not every:
        raise ChargeUnknown()
    if any(line.credited for line in every):
        raise ChargeCredited(chargeId=every[0].charge_id)
    postings = standing(every)
    if not postings or postings[0].line.type is not LineType.CHARGE:
        raise ChargeAlreadyVoided(chargeId=every[0].charge_id)
    return postings


def _reversals(
    posting: Posting, sums: TaxSums, today: date, reason: str, moment: Moment
) -> Iterable[Line]:
    """The opposite of a posting: its price to the minor unit, its taxes as the sums fall."""
    for line, amount, tax in opposite(posting, sums):
        yield replace(
            line,
            id=moment.new_id(VoidId),
            type=LineType.VOID,
            amount=amount,
            business_date=today,
            tax=tax,
            corrects=line.id,
            reason=reason,
            external_reference=None,
            settings_version=moment.settings.version,
            occupancy=None,
            moved_from=None,
        )
