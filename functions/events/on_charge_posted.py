"""A till of the restaurant, the bar or the spa posts to a guest's folio: once for its check.

Tills work on while a line is down and tell later what they sold, twice if in doubt; so a check is
known by the point of sale and its own number, whatever event tells of it. A folio that is not there
yet is waited for, because the reservation's event may still be on its way. One that is closed takes
nothing more: the event becomes a dead letter with that reason, so that the sale is not lost. Who
opens the folio again replays it.
"""

from common.contracts.incoming import ChargeAtTill
from common.domain.charge import is_posted
from common.domain.folio import Folio, FolioUnknown
from common.domain.folio_line import Source
from common.domain.refusal import Refusal
from common.domain.tax import TaxRuleMissing
from common.ports.transaction import Transaction
from common.procedures.charging import charge_to, tell_rule_missing
from common.runtime.declaration import event_function


def folio_of(told: ChargeAtTill, tx: Transaction) -> Folio:
    """Lock the folio that a check goes to, of the till's own property. Refuses: FolioUnknown."""
    if told.folio_id is not None:
        folio = tx.folios.take(told.folio_id)
    else:
        reservation = str(told.reservation_id)
        found = tx.folios.find_for_reservation(told.property_id, reservation, told.window)
        if found is None:
            raise FolioUnknown()
        folio = found
    if folio.property_id != told.property_id:
        raise FolioUnknown()
    return folio


def tell_missing(told: ChargeAtTill, tx: Transaction, refusal: Refusal) -> None:
    """Let the house know which rule was not there."""
    tell_rule_missing(folio_of(told, tx).id, tx, refusal)


@event_function(
    "melmastoon.pos.charge.posted.v1",
    waits_for=(FolioUnknown,),
    after_refusal={TaxRuleMissing: tell_missing},
)
def on_charge_posted(told: ChargeAtTill, tx: Transaction) -> None:
    """Post the charge with its taxes, unless it is on the folio.

    Refuses: FolioUnknown, FolioAlreadyClosed, CurrenciesDiffer, AmountNotPositive, AmountDiffers,
    TaxRuleMissing, ChargeAlreadyPosted.
    """
    folio = folio_of(told, tx)
    charge = told.charge(tx)
    before = tx.folios.find_charge(folio.id, Source.POINT_OF_SALE, told.reference)
    if not is_posted(charge, before):
        charge_to(folio, [charge], tx)
