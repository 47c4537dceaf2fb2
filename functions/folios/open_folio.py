"""Open a folio for a reservation or a walk-in.

A reservation has one folio for each window: opening it again answers the first, whoever asks. The
rates of exchange are pinned now and honoured for the folio's whole life.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts.fields import CurrencyCode, Day, FolioRef, Name, Token, Word
from common.contracts.folios import FolioView
from common.contracts.settings import FxSnapshotShape
from common.contracts.shapes import Request, Shape
from common.domain.folio import Folio, Guest, Stay, StayInvalid, WindowUnknown
from common.domain.fx import FxRateInvalid
from common.domain.identifiers import FolioId, PropertyId
from common.domain.money import CurrenciesDiffer
from common.domain.settings import PropertyUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class GuestGiven(Shape):
    """Whose folio it is: a guest or a company."""

    name: Name
    address_lines: Annotated[tuple[Name, ...], Field(max_length=6)] = ()
    tax_id: Token | None = None
    exemptions: Annotated[tuple[Word, ...], Field(max_length=8)] = ()

    def guest(self) -> Guest:
        return Guest(
            name=self.name,
            address_lines=self.address_lines,
            tax_id=self.tax_id,
            exemptions=frozenset(self.exemptions),
        )


class StayGiven(Shape):
    """The nights from arrival to departure."""

    arrival: Day
    departure: Day


class OpenFolio(Request):
    """`currency` is the property's own unless given; `fxSnapshots` are today's unless given."""

    id: FolioRef | None = None
    property_id: UUID
    guest: GuestGiven
    reservation_id: Token | None = None
    window: Word = "guest"
    windows: Annotated[tuple[Word, ...], Field(max_length=8)] = ()
    routing: Annotated[dict[Word, Word], Field(max_length=16)] = {}
    stay: StayGiven | None = None
    currency: CurrencyCode | None = None
    fx_snapshots: Annotated[tuple[FxSnapshotShape, ...], Field(max_length=20)] = ()


@http_function(
    "POST",
    "/folios",
    scope="billing.folio.write",
    status=201,
    creates=True,
    refusals=(PropertyUnknown, WindowUnknown, StayInvalid, CurrenciesDiffer, FxRateInvalid),
)
def open_folio(request: OpenFolio, tx: Transaction) -> FolioView:
    """Open a folio, or answer the one that the reservation has already.

    Refuses: PropertyUnknown, WindowUnknown, StayInvalid, CurrenciesDiffer, FxRateInvalid.
    """
    property_id = PropertyId(request.property_id)
    if not tx.actor.holds(property_id):
        raise PropertyUnknown()
    if request.reservation_id is not None:
        first = tx.folios.find_for_reservation(
            property_id, request.reservation_id, request.window
        )
        if first is not None:
            return FolioView.of(first)
    opened = Folio.open(
        id=request.id or tx.new_id(FolioId),
        property_id=property_id,
        guest=request.guest.guest(),
        reservation_id=request.reservation_id,
        window=request.window,
        windows=request.windows,
        routing=request.routing,
        stay=Stay(**dict(request.stay)) if request.stay else None,
        currency=request.currency,
        rates=[shape.snapshot() for shape in request.fx_snapshots],
        moment=tx,
    )
    tx.folios.keep(opened.subject)
    tx.tell(opened)
    return FolioView.of(opened.subject)
