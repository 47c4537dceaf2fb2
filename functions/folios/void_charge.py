"""Void a charge: reverse it, its taxes, its adjustments, by lines that name what they correct."""

from common.contracts.fields import FreeText
from common.contracts.folios import LinesAnswer
from common.contracts.references import ChargeRef, FolioRef
from common.contracts.shapes import Request
from common.domain import correction
from common.domain.charge import ChargeAlreadyVoided, ChargeCredited, ChargeUnknown
from common.domain.folio import FolioAlreadyClosed, FolioUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class VoidCharge(Request):
    """Why the charge in the path does not stand."""

    folio_id: FolioRef
    charge_id: ChargeRef
    reason: FreeText


@http_function(
    "POST",
    "/folios/{folio_id}/charges/{charge_id}/void",
    scope="billing.folio.write",
    status=201,
    moves_money=True,
    etag="folio",
    refusals=(
        FolioUnknown,
        FolioAlreadyClosed,
        ChargeUnknown,
        ChargeAlreadyVoided,
        ChargeCredited,
    ),
)
def void_charge(request: VoidCharge, tx: Transaction) -> LinesAnswer:
    """Reverse a charge once, and answer the balance it leaves.

    Refuses: FolioUnknown, FolioAlreadyClosed, ChargeUnknown, ChargeAlreadyVoided,
    ChargeCredited.
    """
    folio, lines = tx.folios.take_with_charge(request.folio_id, request.charge_id)
    voided = correction.void_charge(folio, lines, request.reason, tx)
    tx.folios.keep(folio)
    tx.ledger.post(voided)
    tx.tell(voided)
    return LinesAnswer.of(voided)
