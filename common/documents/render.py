"""An issued invoice or credit note as a PDF, from its stored payload.

INV-4, INV-6: the same payload in the same template version gives the same bytes, so a regenerated
document can be held against the issued one. A template version is a file that is never edited
again; a change is a new version, and a tenant goes back by naming the old one. The metadata carry
the number and the hash of the payload, which is how an uploaded file is found again (INV-8).
"""

from collections.abc import Mapping
from datetime import UTC
from functools import partial
from io import BytesIO

from common.documents.drawing import RenderingFailed, draw
from common.documents.filling import filled
from common.documents.logo import LogoOnPage, logo_on_page
from common.documents.page import Page, credit_note_page, invoice_page
from common.documents.payload import (
    CREDIT_NOTE_SCHEMA,
    CreditNote,
    Invoice,
    read_credit_note,
    read_invoice,
    read_personal,
)
from common.documents.vocabulary import LanguageUnknown
from common.domain.money import CurrencyUnknown

CURRENT_INVOICE_TEMPLATE = "invoice-2"
CURRENT_CREDIT_NOTE_TEMPLATE = "credit-note-2"
INVOICE_TEMPLATES = frozenset({"invoice-1", CURRENT_INVOICE_TEMPLATE})
CREDIT_NOTE_TEMPLATES = frozenset({"credit-note-1", CURRENT_CREDIT_NOTE_TEMPLATE})
# The versions that were drawn before letters were joined, and are for ever.
UNJOINED_TEMPLATES = frozenset({"invoice-1", "credit-note-1"})


class TemplateUnknown(RenderingFailed):
    """No template of this version was ever made for this kind of document."""


def render_document(
    payload: Mapping[str, object],
    personal: Mapping[str, object],
    *,
    payload_sha256: str,
    verify_url: str,
    language: str,
    template_version: str,
    copy: bool = False,
    logo: bytes | None = None,
) -> bytes:
    """The PDF of an invoice or a credit note; `copy` marks a duplicate as one.

    `logo` is the picture that the payload names by its hash. Raises `TemplateUnknown`, and
    `RenderingFailed` when anything of it cannot be printed.
    """
    is_credit = payload.get("schema") == CREDIT_NOTE_SCHEMA
    if template_version not in (CREDIT_NOTE_TEMPLATES if is_credit else INVOICE_TEMPLATES):
        raise TemplateUnknown(f"there is no template {template_version!r}")
    laid_out = partial(
        credit_note_page if is_credit else invoice_page,
        payload_sha256=payload_sha256,
        verify_url=verify_url,
        language=language,
        copy=copy,
    )
    try:
        document = read_credit_note(payload) if is_credit else read_invoice(payload)
        page = laid_out(document, read_personal(personal))
        picture = logo_on_page(document.issuer, logo)
    except (TypeError, ValueError, LanguageUnknown, CurrencyUnknown) as refused:
        raise RenderingFailed(str(refused)) from None
    script = None if template_version in UNJOINED_TEMPLATES else page.script
    pdf = draw(_html(page, template_version, picture), script)
    return _with_metadata(pdf, document, page, template_version)


def _html(page: Page, template_version: str, logo: LogoOnPage | None) -> str:
    import segno
    from jinja2 import TemplateError

    try:
        qr_code = segno.make(page.verify_url, error="m", micro=False)
        qr_png = qr_code.png_data_uri(scale=4, border=2)
        return filled(template_version, page=page, qr_png=qr_png, logo=logo)
    except (segno.DataOverflowError, TemplateError) as failure:
        raise RenderingFailed(type(failure).__name__) from None


def _with_metadata(
    pdf: bytes, document: Invoice | CreditNote, page: Page, template_version: str
) -> bytes:
    """Write whose document it is into the Info dictionary, dated by its issue, not by a clock."""
    from pypdf import PdfWriter

    issued_at = f"D:{document.issued_at.astimezone(UTC):%Y%m%d%H%M%S}Z"
    labelled, writer = BytesIO(), PdfWriter(clone_from=BytesIO(pdf))
    writer.metadata = {
        "/Title": f"{page.title} {document.number}",
        "/Author": document.issuer.name,
        "/Producer": "Melmastoon Billing",
        "/CreationDate": issued_at,
        "/ModDate": issued_at,
        "/invoiceNumber": document.number,
        "/payloadSha256": page.payload_sha256,
        "/templateVersion": template_version,
    }
    writer.write(labelled)
    return labelled.getvalue()
