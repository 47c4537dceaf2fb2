"""Verify an invoice by its PDF: is this file, byte for byte, one that we have issued."""

import hashlib
from uuid import UUID

from common.contracts.shapes import Request
from common.ports.transaction import Transaction
from common.procedures.verifying import Found, nothing_known, verify
from common.runtime.declaration import HTML, RateLimit, http_function


class VerifyInvoiceFile(Request):
    """The file, and the tenant that is said to have issued it."""

    tenant: UUID
    content: bytes


@http_function(
    "POST",
    "/invoices/verify",
    scope=None,
    perform=verify,
    pages={HTML: "verification"},
    takes="application/pdf",
    body_bytes_max=8 * 2**20,
    needs=("database", "keys", "printer"),
    limits=(RateLimit(quota=20, window_seconds=60, per="address"),),
    when_tenant_unknown=nothing_known,
)
def verify_invoice_file(request: VerifyInvoiceFile, tx: Transaction) -> Found:
    """Say whether a PDF is ours and unchanged, as JSON or as a page.

    Refuses nothing: what is not known is not valid.
    """
    invoice = tx.invoices.find_by_pdf(hashlib.sha256(request.content).digest())
    digest = invoice.payload_sha256 if invoice else bytes(32)
    return Found(tx.settings, invoice, digest, pdf=request.content)
