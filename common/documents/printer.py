"""Invoices and credit notes as PDF: the renderer behind the port of printing.

What cannot be drawn whole is refused by name, so that the render queue keeps the reason and tries
again once a template or a font is mended (INV-6).
"""

from collections.abc import Mapping
from typing import Any

from common.documents.drawing import RenderingFailed
from common.documents.einvoice import einvoice_xml
from common.documents.reading import read_invoice_identity
from common.documents.render import render_document
from common.ports.powers import DrawingRefused


class PdfPrinter:
    """Draws documents, and reads whose a PDF claims to be."""

    def document(
        self,
        payload: Mapping[str, Any],
        person: Mapping[str, Any],
        *,
        payload_sha256: str,
        verify_url: str,
        language: str,
        template_version: str,
        copy: bool,
    ) -> bytes:
        """An invoice or a credit note as PDF. Raises DrawingRefused."""
        try:
            return render_document(
                payload,
                person,
                payload_sha256=payload_sha256,
                verify_url=verify_url,
                language=language,
                template_version=template_version,
                copy=copy,
            )
        except RenderingFailed as failure:
            raise DrawingRefused(str(failure)) from None

    def e_invoice(self, payload: Mapping[str, Any], person: Mapping[str, Any]) -> bytes:
        """An invoice or a credit note as XML by EN 16931. Refuses: EInvoiceNotPossible."""
        return einvoice_xml(payload, person)

    def identity(self, pdf: bytes) -> tuple[str, str]:
        """The document's number and payload SHA-256 that a PDF claims. Refuses: PdfUnreadable."""
        return read_invoice_identity(pdf)
