"""Who a PDF says it is: the first question about a file that a stranger uploads.

The Info dictionary only says which stored document to compare the file with; it proves nothing, and
anybody can write it. Nothing of the file is drawn, run or followed. It may be made to break its
reader, so whatever goes wrong inside is the same answer: the file cannot be read (INV-8).
"""

import re
from collections.abc import Mapping
from io import BytesIO

from common.domain.refusal import Unmet

MAX_PDF_BYTES = 8 * 2**20

_NUMBER = re.compile(r"[^\W_][\w./-]{0,63}", re.ASCII)
_SHA_256 = re.compile(r"[0-9a-f]{64}")


class PdfUnreadable(Unmet):
    """The file is no PDF, no whole one, too big, or none that we wrote."""

    code = "PDF_UNREADABLE"
    title = "This file is not a PDF with an invoice's number and fingerprint"


def read_invoice_identity(pdf: bytes) -> tuple[str, str]:
    """The invoice number and the payload's SHA-256 (hex) that the file claims.

    Refuses: `PdfUnreadable`, and nothing else, whatever the bytes are.
    """
    if len(pdf) > MAX_PDF_BYTES:
        raise PdfUnreadable("the file is too big", max_bytes=MAX_PDF_BYTES)
    try:
        claims = _info(pdf)
    except Exception:  # noqa: BLE001 - a parser of strangers' files can fail in any way
        raise PdfUnreadable("the file cannot be parsed") from None
    number, sha_256 = claims
    if not (_NUMBER.fullmatch(number) and _SHA_256.fullmatch(sha_256)):
        raise PdfUnreadable("the file names no invoice")
    return number, sha_256


def _info(pdf: bytes) -> tuple[str, str]:
    from pypdf import PdfReader

    # Strict: a file of ours needs no repair, and repairing is where a parser can be kept busy.
    reader = PdfReader(BytesIO(pdf), strict=True)
    if reader.is_encrypted:
        raise ValueError("encrypted")
    info: Mapping[str, object] = reader.metadata or {}
    return str(info["/invoiceNumber"]), str(info["/payloadSha256"])
