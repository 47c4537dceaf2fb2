"""Opening the folio of a reservation: once for each window, whoever comes first with it."""

from common.contracts.incoming import Reservation
from common.domain.folio import Folio, Guest, Stay
from common.domain.identifiers import FolioId, PropertyId
from common.ports.transaction import Transaction


def open_for_reservation(reservation: Reservation, tx: Transaction) -> Folio:
    """The reservation's folio: the one it has, or a new one.

    Refuses: PropertyUnknown, WindowUnknown, CurrenciesDiffer, FxRateInvalid.
    """
    property_id = PropertyId(reservation.property_id)
    first = tx.folios.find_for_reservation(
        property_id, reservation.reservation_id, reservation.window
    )
    if first is not None:
        return first
    guest = reservation.guest
    opened = Folio.open(
        id=tx.new_id(FolioId),
        property_id=property_id,
        guest=Guest(
            name=guest.name,
            address_lines=guest.address_lines,
            tax_id=guest.tax_id,
            exemptions=frozenset(guest.exemptions),
        ),
        reservation_id=reservation.reservation_id,
        window=reservation.window,
        windows=reservation.windows,
        routing=reservation.routing,
        stay=Stay(arrival=reservation.arrival, departure=reservation.departure),
        currency=reservation.currency,
        rates=[shape.snapshot() for shape in reservation.fx_snapshots],
        moment=tx,
    )
    tx.folios.keep(opened.subject)
    tx.tell(opened)
    return opened.subject
