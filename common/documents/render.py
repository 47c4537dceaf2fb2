"""An issued invoice or credit note as a PDF, from its stored payload.

INV-4, INV-6: the same payload in the same template version gives the same bytes, so a regenerated
document can be held against the issued one. A template version is a file that is never edited
again; a change is a new version, and a tenant goes back by naming the old one. The metadata carry
the number and the hash of the payload, which is how an uploaded file is found again (INV-8).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from common.documents.archival import Label, archived
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
    e_invoice: bytes | None = None,
    without_xml: str = "not asked for",
    logo: bytes | None = None,
) -> bytes:
    """The PDF of an invoice or a credit note; `copy` marks a duplicate as one.

    It carries its e-invoice, or says why it does not; `logo` is the picture that the payload names
    by its hash.

    Raises `TemplateUnknown`, and `RenderingFailed` when anything of it cannot be printed.
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
    label = _label(document, page, template_version, e_invoice=e_invoice, without_xml=without_xml)
    script = None if template_version in UNJOINED_TEMPLATES else page.script
    return archived(draw(_html(page, template_version, picture), script), label)


def _html(page: Page, template_version: str, logo: LogoOnPage | None) -> str:
    import segno
    from jinja2 import TemplateError

    try:
        qr_code = segno.make(page.verify_url, error="m", micro=False)
        qr_png = qr_code.png_data_uri(scale=4, border=2)
        return filled(template_version, page=page, qr_png=qr_png, logo=logo)
    except (segno.DataOverflowError, TemplateError) as failure:
        raise RenderingFailed(type(failure).__name__) from None


def _label(
    document: Invoice | CreditNote, page: Page, template_version: str, **e_invoice: Any
) -> Label:
    """Whose document it is, dated by its issue and not by a clock."""
    return Label(
        title=f"{page.title} {document.number}",
        author=document.issuer.name,
        language=page.language,
        issued_at=document.issued_at,
        number=document.number,
        payload_sha256=page.payload_sha256,
        template_version=template_version,
        **e_invoice,
    )
