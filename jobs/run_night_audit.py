"""End each property's business day: charge every guest in the house for the night, then close it.

A property's day is audited when its clock says that the day is over, the oldest first. Every folio
is charged in a transaction of its own, under its lock, and then once more never: killed anywhere
and started again, run twice at once, the audit comes to the same. When nothing is left to charge
the day's end is written down with what it came to. Nobody is kept from posting meanwhile: what is
posted after the end of a day belongs to the next one by its own time (FOL-9, BEY-6).

What would be charged a dry run shows, folio by folio. A folio that cannot be charged, for want of a
tax rule say, keeps the others from nothing; its day ends when it has been charged.
"""

from collections.abc import Sequence
from datetime import date

from common.domain.dataclass import dataclass
from common.domain.folio_line import Line
from common.domain.identifiers import FolioId, PropertyId
from common.domain.night_audit import NightAudit, next_day
from common.domain.stay_plan import StayUnknown, audit
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.charging import charge_to
from common.runtime.declaration import job


@dataclass(frozen=True, slots=True)
class Night:
    """A folio that is to be charged for a business date; without one, the end of the day."""

    property_id: PropertyId
    business_date: date
    folio_id: FolioId | None = None


def due(which: Round, tx: Transaction) -> Sequence[Night]:
    """What is to be done at each property, for the oldest business date that was not audited."""
    found: list[Night] = []
    for property_id, house in tx.settings.properties.items():
        on = next_day(house, tx.night_audits.last(property_id), tx.now, which.as_of)
        if on is None:
            continue
        folios = tx.stays.due(property_id, on, which.limit)
        found += [Night(property_id, on, folio_id) for folio_id in folios]
        if not folios:
            found.append(Night(property_id, on))
    return found


def would_post(night: Night, tx: Transaction) -> list[dict[str, object]]:
    """The lines that a folio would be charged, with their taxes.

    Refuses: FolioUnknown, StayUnknown, CurrenciesDiffer, TaxRuleMissing, WindowUnknown.
    """
    if night.folio_id is None:
        return []
    folio, plan = tx.folios.get(night.folio_id), tx.stays.get(night.folio_id)
    charges = audit(plan, folio, night.business_date, tx).charges
    posted = [folio.post_charge(charge, tx) for charge in charges]
    return [_shown(night.folio_id, line) for each in posted for line in each.lines]


def _shown(folio_id: FolioId, line: Line) -> dict[str, object]:
    return {
        "folioId": folio_id,
        "type": line.type.value,
        "kind": line.kind,
        "night": line.service_date.isoformat() if line.service_date else None,
        "businessDate": line.business_date.isoformat(),
        "tax": line.tax.rule_code if line.tax else None,
        "amountMicro": line.amount.amount_micro,
        "currency": line.amount.currency,
    }


@job(schedule="*/15 * * * *", find=due, preview=would_post)
def run_night_audit(night: Night, tx: Transaction) -> None:
    """Charge a folio for the night, or write down the end of a day that has nothing left to charge.

    Refuses: FolioUnknown, StayUnknown, CurrenciesDiffer, TaxRuleMissing, WindowUnknown.
    """
    if night.folio_id is None:
        _end_day(night.property_id, night.business_date, tx)
        return
    if not tx.night_audits.keep_open(night.property_id, night.business_date):
        return  # somebody else has ended the day: what is left belongs to the next one
    folio, stay = tx.stays.take_folio(night.folio_id)
    if stay is None:
        raise StayUnknown()
    audited = audit(stay, folio, night.business_date, tx)
    if audited.charges:
        charge_to(folio, audited.charges, tx)
    tx.stays.keep(audited.plan)


def _end_day(property_id: PropertyId, on: date, tx: Transaction) -> None:
    """Write down the end of a day, unless it is, or somebody has come to be charged for it."""
    if not tx.night_audits.take_to_end(property_id, on) or tx.stays.due(property_id, on, 1):
        return
    ended = NightAudit.end(property_id, on, tx.night_audits.report(property_id, on), tx)
    tx.night_audits.keep(ended.subject)
    tx.tell(ended)
