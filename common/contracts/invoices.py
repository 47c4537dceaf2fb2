"""How an invoice reads on the wire."""

from base64 import b64encode
from typing import Literal

from common.contracts.fields import (
    Amount,
    CurrencyCode,
    Day,
    Instant,
)
from common.contracts.references import FolioRef, InvoiceRef, PropertyRef
from common.contracts.shapes import Outcome
from common.domain.invoice import Invoice
from common.domain.issued_document import Signature

Status = Literal["issued", "credited", "voided"]
SignatureState = Literal["valid", "pending", "unknown_key", "broken"]


class SignatureView(Outcome):
    """The signature over `payloadSha256`: its DER bytes in base64, and the key version it is of."""

    key_version: str
    algorithm: str
    value: str
    signed_at: Instant

    @classmethod
    def of(cls, signature: Signature) -> "SignatureView":
        return cls(
            key_version=signature.key_version,
            algorithm=signature.algorithm,
            value=b64encode(signature.value).decode(),
            signed_at=signature.signed_at,
        )


class InvoiceView(Outcome):
    """An invoice without its payload."""

    invoice_id: InvoiceRef
    folio_id: FolioRef
    property_id: PropertyRef
    number: str
    document_type: str
    currency: CurrencyCode
    total: Amount
    business_date: Day
    issued_at: Instant
    language: str
    payload_sha256: str

    @classmethod
    def of(cls, invoice: Invoice) -> "InvoiceView":
        return cls(
            invoice_id=invoice.id,
            folio_id=invoice.folio_id,
            property_id=invoice.property_id,
            number=invoice.number,
            document_type=invoice.document_type,
            currency=invoice.currency,
            total=invoice.total,
            business_date=invoice.business_date,
            issued_at=invoice.issued_at,
            language=invoice.language,
            payload_sha256=invoice.payload_sha256.hex(),
        )


class Verification(Outcome):
    """Whether a document is ours and unchanged; nothing personal, whatever was asked.

    `valid`: the hash is the issued document's and its signature holds. `signature` is `pending` in
    the moments before a document is signed; `status` says whether credit notes took something off
    an invoice, or all of it; `language` is the document's. All but `valid` is empty for a document
    we do not know.
    """

    valid: bool
    signature: SignatureState
    status: Literal["issued", "credited", "voided", ""]
    number: str
    date: Day | None
    issuer: str
    language: str
