"""Open a folio for a reservation or a walk-in.

A reservation has one folio for each window: opening it again answers the first, whoever asks. The
rates of exchange are pinned now and honoured for the folio's whole life.
"""

from common.contracts.fields import Token
from common.contracts.folios import FolioView
from common.contracts.opening import StayGiven, Terms
from common.contracts.references import FolioRef, PropertyRef
from common.contracts.shapes import Request
from common.domain.folio import WindowUnknown
from common.domain.fx import FxRateInvalid
from common.domain.guest import StayInvalid
from common.domain.money import CurrenciesDiffer
from common.domain.settings import PropertyUnknown
from common.ports.transaction import Transaction
from common.procedures.opening import open_once
from common.runtime.declaration import http_function


class OpenFolio(Terms, Request):
    """A folio at a property; without a reservation it is a walk-in's."""

    id: FolioRef | None = None
    property_id: PropertyRef
    reservation_id: Token | None = None
    stay: StayGiven | None = None


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
    if not tx.actor.holds(request.property_id):
        raise PropertyUnknown()
    stay = request.stay.stay() if request.stay else None
    terms = {**request.terms(), "stay": stay}
    folio = open_once(tx, request.property_id, request.reservation_id, terms, request.id)
    return FolioView.of(folio)
