"""Charging a folio: what is posted is booked and told, and so is what went without a tax rule."""

from collections.abc import Iterable

from common.domain.charge import Charge
from common.domain.folio import ChargePosted, Folio
from common.domain.folio_line import Line
from common.domain.identifiers import FolioId
from common.domain.refusal import Refusal
from common.domain.stay_plan import slept
from common.domain.tax import TaxRuleMissing
from common.domain.untaxed import rule_missed, rules_missed
from common.ports.transaction import Transaction


def charge_to(folio: Folio, charges: Iterable[Charge], tx: Transaction) -> list[ChargePosted]:
    """Post all charges with their taxes, or none of them; each is told by itself.

    The first that is wrong decides what is refused, so they may be made one by one.

    Refuses: FolioAlreadyClosed, CurrenciesDiffer, TaxRuleMissing, WindowUnknown,
    ChargeAlreadyPosted.
    """
    posted = [folio.post_charge(charge, tx) for charge in charges]
    missed = rules_missed(folio, posted, tx)
    tx.folios.keep(folio)
    for each in posted:
        tx.ledger.post(each)
        tx.tell(each)
    for fact in missed:
        tx.tell(fact)
    return posted


def charge_slept(folio: Folio, tx: Transaction) -> list[Line]:
    """Charge a folio that is to be closed for nights that were slept and not audited; what that
    posts.

    Refuses: FolioAlreadyClosed, CurrenciesDiffer, TaxRuleMissing, WindowUnknown.
    """
    folio.must_be_open()
    plan = tx.stays.find(folio.id)
    audited = slept(plan, tx) if plan else None
    if audited is None or not audited.charges:
        return []
    posted = charge_to(folio, audited.charges, tx)
    tx.stays.keep(audited.plan)
    return [line for each in posted for line in each.lines]


def tell_rule_missing(folio_id: FolioId, tx: Transaction, refusal: Refusal) -> None:
    """Let the house know which rule a refused charge lacked. Refuses: FolioAlreadyClosed."""
    if not isinstance(refusal, TaxRuleMissing):
        raise TypeError(f"{refusal.code} is not about a rule")
    folio = tx.folios.take(folio_id)
    missed = rule_missed(folio, refusal)
    tx.folios.keep(folio)
    tx.tell(missed)
