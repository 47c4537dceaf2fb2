"""Corrections of a charge: reversing it, or moving its amount. Nothing is ever deleted.

A void writes the opposite of every line that still stands for the charge: the charge itself, its
taxes, its adjustments. An adjustment adds a signed amount, taxed as the charge was, and may take
away what the charge came to, but not more.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from common.domain.charge import (
    AdjustmentExceedsCharge,
    AmountNotPositive,
    ChargeAlreadyVoided,
    ChargeUnknown,
    taxed,
)
from common.domain.folio import Folio, LinesPosted
from common.domain.folio_line import Line, LineType, Text
from common.domain.identifiers import AdjustmentId, VoidId
from common.domain.moment import Moment
from common.domain.money import Money


@dataclass(frozen=True, kw_only=True)
class ChargeVoided(LinesPosted):
    name = "charge.voided"


@dataclass(frozen=True, kw_only=True)
class ChargeAdjusted(LinesPosted):
    name = "charge.adjusted"


def void_charge(folio: Folio, lines: Iterable[Line], reason: str, moment: Moment) -> ChargeVoided:
    """Reverse what stands of a charge; `lines` are all lines that belong to it.

    Refuses: FolioAlreadyClosed, ChargeUnknown, ChargeAlreadyVoided.
    """
    folio.must_be_open()
    standing = _standing(lines)
    today = moment.settings.property(folio.property_id).business_date(moment.now)
    sums = folio.tax_sums.copy()
    reversals = []
    for line in standing:
        rounded_per_invoice = line.tax is not None and sums.holds(line.tax)
        amount = sums.moved_by(-line.tax) if line.tax and rounded_per_invoice else -line.amount
        reversal = replace(
            line,
            id=moment.new_id(VoidId),
            type=LineType.VOID,
            amount=amount,
            business_date=today,
            tax=-line.tax if line.tax else None,
            corrects=line.id,
            reason=reason,
            external_reference=None,
            settings_version=moment.settings.version,
        )
        reversals.append(folio.add(reversal))
    folio.tax_sums = sums
    return folio.posted(ChargeVoided, tuple(reversals), reason=reason)


def adjust_charge(
    folio: Folio, lines: Iterable[Line], amount: Money, text: Text, reason: str, moment: Moment
) -> ChargeAdjusted:
    """Move what a charge came to by a signed amount, in the terms that the charge was priced in.

    Refuses: FolioAlreadyClosed, ChargeUnknown, ChargeAlreadyVoided, AmountNotPositive (for zero),
    AdjustmentExceedsCharge, CurrenciesDiffer, AmountNotInMinorUnits, TaxRuleMissing.
    """
    folio.must_be_open()
    standing = _standing(lines)
    charge = standing[0]
    if amount.in_minor_units().is_zero:
        raise AmountNotPositive()
    sums = folio.tax_sums.copy()
    house = moment.settings.property(folio.property_id)
    on = charge.service_date or charge.business_date
    parts = taxed(
        amount + Money.zero(folio.currency), folio.occasion(house, charge.kind, on), sums, moment
    )
    earned = Money.total((line.amount for line in standing if not line.tax), folio.currency)
    if (earned + parts.net).amount_micro < 0:
        raise AdjustmentExceedsCharge(remainingMicro=earned.amount_micro)
    line = replace(
        charge,
        id=moment.new_id(AdjustmentId),
        type=LineType.ADJUSTMENT,
        description=text,
        amount=parts.net,
        business_date=house.business_date(moment.now),
        settings_version=moment.settings.version,
        quantity=None,
        unit_amount=None,
        external_reference=None,
        corrects=charge.id,
        reason=reason,
        untaxed=parts.untaxed,
    )
    folio.tax_sums = sums
    return folio.posted(ChargeAdjusted, folio.add_taxed(line, parts, moment), reason=reason)


def _standing(lines: Iterable[Line]) -> list[Line]:
    """The lines of a charge that were not reversed, the charge first."""
    every = sorted(lines, key=lambda line: line.sequence)
    if not every:
        raise ChargeUnknown()
    reversed_ids = {line.corrects for line in every if line.type is LineType.VOID}
    standing = [
        line for line in every if line.type is not LineType.VOID and line.id not in reversed_ids
    ]
    if not standing or standing[0].type is not LineType.CHARGE:
        raise ChargeAlreadyVoided()
    return standing
