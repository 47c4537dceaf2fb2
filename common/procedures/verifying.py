"""Verifying a document: its hash against the one that was issued, its signature against the key."""

import hashlib
import hmac
import json
from typing import Any, cast

from common.contracts.invoices import SignatureState, Status, Verification
from common.domain.dataclass import dataclass
from common.domain.invoice import Invoice
from common.domain.issued_document import IssuedDocument
from common.domain.refusal import Refusal
from common.domain.settings import Settings
from common.ports.powers import Powers, SignedDigest

# A well-formed ECDSA signature of nothing: checking it is the work that a real one takes.
_NO_SIGNATURE = SignedDigest("none", "none", bytes.fromhex("3006020101020101"))


@dataclass(frozen=True, slots=True)
class Found:
    """The document that was asked for, if it is known, and the hash that it is said to have.

    `pdf` is the file that it was found by, if it was.
    """

    settings: Settings
    document: IssuedDocument | None
    claimed_sha256: bytes
    pdf: bytes | None = None


def nothing_known() -> Verification:
    """What is answered of a document that is not ours."""
    return Verification(
        valid=False,
        signature="broken",
        status="",
        number="",
        date=None,
        issuer="",
        language="",
    )


def verify(found: Found, powers: Powers) -> Verification:
    """Hash the payload again, compare, check the signature; the same work for unknown ones."""
    document = found.document
    payload = document.payload if document else ""
    digest = hashlib.sha256(payload.encode()).digest()
    stored = document.payload_sha256 if document else bytes(32)
    same = hmac.compare_digest(digest, found.claimed_sha256) and hmac.compare_digest(digest, stored)
    signature = _signature_state(found, digest, powers)
    if document is None or not same:
        return nothing_known()
    signed = json.loads(payload)
    if not (_is_the_row_of(signed, document) and _is_the_file_of(document, found.pdf, powers)):
        return nothing_known()
    return Verification(
        valid=signature == "valid",
        signature=signature,
        status=_status_of(document),
        number=document.number,
        date=document.business_date,
        issuer=signed["issuer"]["name"],
        language=document.language,
    )


def _status_of(document: IssuedDocument) -> Status:
    """A credit note stands as it was issued; an invoice may have been credited since."""
    return cast(Status, document.status) if isinstance(document, Invoice) else "issued"


def _id_in(signed: dict[str, Any]) -> str:
    document_id: str = signed.get("invoiceId") or signed["creditNoteId"]
    return document_id


def _is_the_row_of(signed: dict[str, Any], document: IssuedDocument) -> bool:
    """Whether what is listed beside the payload says what was signed: the number is found, too."""
    listed = (document.id, document.number, document.business_date.isoformat())
    return listed == (_id_in(signed), signed["number"], signed["businessDate"])


def _is_the_file_of(document: IssuedDocument, pdf: bytes | None, powers: Powers) -> bool:
    """Whether the file names this invoice: the row that led from one to the other may be forged."""
    if pdf is None:
        return True
    try:
        return powers.printer.identity(pdf) == (document.number, document.payload_sha256.hex())
    except Refusal:
        return False


def _signature_state(found: Found, digest: bytes, powers: Powers) -> SignatureState:
    signature = found.document.signature if found.document else None
    if found.document is not None and signature is None:
        return "pending"
    signed = (
        SignedDigest(signature.key_version, signature.algorithm, signature.value)
        if signature
        else _NO_SIGNATURE
    )
    match powers.keys.verify(found.settings.tenant_id, digest, signed):
        case True:
            return "valid"
        case None:
            return "unknown_key"
        case _:
            return "broken"
