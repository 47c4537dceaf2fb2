"""Opening a folio: once for a reservation and window, whoever comes first with it."""

from typing import Any

from common.domain.folio import Folio
from common.domain.identifiers import FolioId, PropertyId
from common.ports.transaction import Transaction


def open_once(
    tx: Transaction,
    property_id: PropertyId,
    reservation_id: str | None,
    terms: dict[str, Any],
    folio_id: FolioId | None = None,
) -> Folio:
    """The folio that the reservation has already, or a new one on these terms.

    Refuses: PropertyUnknown, WindowUnknown, CurrenciesDiffer, FxRateInvalid.
    """
    if reservation_id is not None:
        first = tx.folios.find_for_reservation(property_id, reservation_id, terms["window"])
        if first is not None:
            return first
    opened = Folio.open(
        id=folio_id or tx.new_id(FolioId),
        property_id=property_id,
        reservation_id=reservation_id,
        moment=tx,
        **terms,
    )
    tx.folios.keep(opened.subject)
    tx.tell(opened)
    return opened.subject
