"""Verify an invoice by its id and hash: what the QR code on the paper leads to.

Anybody may ask; nothing personal is answered, and a document that we do not know is answered like
one that was changed, after the same work.
"""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from common.contracts.references import InvoiceRef
from common.contracts.shapes import Request
from common.ports.transaction import Transaction
from common.procedures.verifying import Found, nothing_known, verify
from common.runtime.declaration import HTML, RateLimit, http_function


class VerifyInvoice(Request):
    """The document's id, the tenant that issued it, and the payload's SHA-256 in hex."""

    invoice_id: InvoiceRef
    tenant: UUID
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@http_function(
    "GET",
    "/invoices/{invoice_id}/verify",
    scope=None,
    perform=verify,
    pages={HTML: "verification"},
    needs=("database", "keys"),
    limits=(RateLimit(quota=60, window_seconds=60, per="address"),),
    when_tenant_unknown=nothing_known,
)
def verify_invoice(request: VerifyInvoice, tx: Transaction) -> Found:
    """Say whether a document is ours and unchanged, as JSON or as a page.

    Refuses nothing: what is not known is not valid.
    """
    invoice = tx.invoices.find(request.invoice_id)
    return Found(tx.settings, invoice, bytes.fromhex(request.hash))
