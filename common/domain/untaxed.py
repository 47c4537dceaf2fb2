"""Charges without a tax rule: the house is told, and they are put right once there is one.

A charge that no rule covers is refused, or posted untaxed where the property allows that for the
day (TAX-2); either way the house has a rule to write. Once it is there, the charges are corrected
(TAX-4): each is reversed with its adjustments and posted again, for what it came to and for the
nights and persons that it was for, taxed by the rules in force on its day. What no rule covers yet
stays as it is. A closed folio cannot be changed: it is opened again first.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from common.domain.charge import UNTAXED_ALLOWED, Charge, portions
from common.domain.correction import price_of, void_charge
from common.domain.dataclass import dataclass
from common.domain.folio import ChargePosted, Folio, FolioFact, FolioStatus, LinesPosted
from common.domain.folio_line import ChargeKind, Line, LineType, Posting, Source, standing
from common.domain.identifiers import ChargeId
from common.domain.moment import Moment
from common.domain.nights import Occupancy
from common.domain.refusal import Conflict
from common.domain.tax import TaxRuleMissing


class UntaxedChargeInvoiced(Conflict):
    code = "UNTAXED_CHARGE_INVOICED"
    title = "The untaxed charge stands on an invoice; its folio is opened again to correct it"


@dataclass(frozen=True, kw_only=True)
class TaxRuleMissed(FolioFact):
    """There was no rule for that kind of charge on that day; `posted`: it went untaxed."""

    name = "tax_rule.missing"
    charge_kind: str
    on: date
    jurisdiction: str
    posted: bool


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What was told of a folio, and the untaxed charges that no rule covers yet."""

    told: tuple[LinesPosted, ...]
    still_untaxed: tuple[ChargeId, ...]


def rule_missed(folio: Folio, refusal: TaxRuleMissing) -> TaxRuleMissed:
    """Note that a charge was refused for want of a rule. Refuses: FolioAlreadyClosed."""
    folio.must_be_open()
    return TaxRuleMissed(
        subject=folio,
        sequence=folio.next_sequence(),
        charge_kind=str(refusal.extra["kind"]),
        on=date.fromisoformat(str(refusal.extra["on"])),
        jurisdiction=str(refusal.extra["jurisdiction"]),
        posted=False,
    )


def rules_missed(
    folio: Folio, posted: Iterable[ChargePosted], moment: Moment
) -> list[TaxRuleMissed]:
    """Note what went untaxed, each kind of charge and day once."""
    lines = [line for each in posted for line in each.lines if line.untaxed == UNTAXED_ALLOWED]
    missed = dict.fromkeys((line.kind, line.service_date or line.business_date) for line in lines)
    jurisdiction = moment.settings.property(folio.property_id).jurisdiction
    return [
        TaxRuleMissed(
            subject=folio,
            sequence=folio.next_sequence(),
            charge_kind=str(kind),
            on=on,
            jurisdiction=jurisdiction,
            posted=True,
        )
        for kind, on in missed
    ]


def backfill(folio: Folio, lines: Sequence[Line], reason: str, moment: Moment) -> Backfilled:
    """Correct what went untaxed on a folio and is covered by now; `lines` are all that it has.

    Refuses: UntaxedChargeInvoiced, ChargeCredited, CurrenciesDiffer (a fixed tax in another
    currency).
    """
    told: list[LinesPosted] = []
    still: list[ChargeId] = []
    for postings in _untaxed(lines):
        first = postings[0].line
        charge = _once_more(postings, moment)
        if not _is_covered(folio, charge, moment):
            still.append(ChargeId(first.id))
            continue
        if folio.status is FolioStatus.CLOSED:
            raise UntaxedChargeInvoiced(folioId=folio.id)
        of_charge = [line for line in lines if line.charge_id == first.id]
        told.append(void_charge(folio, of_charge, reason, moment))
        told.append(folio.post_charge(charge, moment, reason))
    return Backfilled(tuple(told), tuple(still))


def _untaxed(lines: Sequence[Line]) -> list[list[Posting]]:
    """What stands of each charge that went untaxed, at least in part, and came to something."""
    charges: dict[ChargeId | None, list[Posting]] = {}
    for posting in standing(lines):
        charges.setdefault(posting.line.charge_id, []).append(posting)
    return [
        postings
        for postings in charges.values()
        if any(posting.line.untaxed == UNTAXED_ALLOWED for posting in postings)
        and not price_of(postings).is_zero
    ]


def _once_more(postings: Sequence[Posting], moment: Moment) -> Charge:
    """The charge for what it came to; its own quantity and unit price while they still say that."""
    charges = [each.line for each in postings if each.line.type is LineType.CHARGE]
    first, price = charges[0], price_of(postings)
    quantity = sum((Decimal(line.quantity or "1") for line in charges), Decimal(0))
    unit = first.unit_amount or price
    if (
        len(postings) != len(charges)
        or not (unit.times(*quantity.as_integer_ratio()) - price).is_zero
    ):
        quantity, unit = Decimal(1), price
    occupancy = first.occupancy or Occupancy()
    return Charge(
        id=moment.new_id(ChargeId),
        kind=ChargeKind(first.kind),
        description=first.description,
        quantity=str(quantity),
        unit_amount=unit,
        amount=price,
        service_date=first.service_date,
        source=Source(first.source),
        window=first.window,
        nights=sum((line.occupancy or Occupancy()).nights for line in charges),
        persons=occupancy.persons,
        first_night=occupancy.first_night,
        ages=occupancy.ages,
        corrects=first.id,
    )


def _is_covered(folio: Folio, charge: Charge, moment: Moment) -> bool:
    """Whether there is a rule for every night of it by now."""
    try:
        portions(charge, folio.occasion(charge, moment), folio.tax_sums.copy(), moment)
    except TaxRuleMissing:
        return False
    return True
