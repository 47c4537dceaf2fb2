"""Invoices and credit notes as PDF and XML: the renderer behind the port of printing.

What cannot be drawn whole is refused by name, so that the render queue keeps the reason and tries
again once a template or a font is mended (INV-6).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from common.documents.certificates import own_certificate, stored_certificate
from common.documents.drawing import RenderingFailed
from common.documents.einvoice import einvoice_xml
from common.documents.platform_invoice import platform_invoice_pdf
from common.documents.reading import read_invoice_identity
from common.documents.render import render_document
from common.documents.sealing import must_hold, sealed
from common.domain.certificate import CertificateGiven
from common.domain.settings import Issuer
from common.ports.powers import DrawingRefused, Seal


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
        e_invoice: bytes | None,
        without_xml: str,
        logo: bytes | None = None,
    ) -> bytes:
        """An invoice or a credit note as PDF/A-3 that carries its e-invoice, or says why not.

        `logo` is its issuer's. Raises DrawingRefused.
        """
        try:
            return render_document(
                payload,
                person,
                payload_sha256=payload_sha256,
                verify_url=verify_url,
                language=language,
                template_version=template_version,
                copy=copy,
                e_invoice=e_invoice,
                without_xml=without_xml,
                logo=logo,
            )
        except RenderingFailed as failure:
            raise DrawingRefused(str(failure)) from None

    def platform_invoice(
        self, payload: Mapping[str, Any], payload_sha256: str, template_version: str
    ) -> bytes:
        """An invoice of the platform itself, or a credit note of one, as PDF/A-3.

        Raises DrawingRefused.
        """
        try:
            return platform_invoice_pdf(payload, payload_sha256, template_version)
        except RenderingFailed as failure:
            raise DrawingRefused(str(failure)) from None

    def e_invoice(self, payload: Mapping[str, Any], person: Mapping[str, Any]) -> bytes:
        """An invoice or a credit note as XML by EN 16931.

        Refuses: EInvoiceNotPossible. Raises DrawingRefused for figures that contradict themselves.
        """
        try:
            return einvoice_xml(payload, person)
        except ValueError as contradiction:
            raise DrawingRefused(str(contradiction)) from None

    def sealed(self, pdf: bytes, seal: Seal, e_invoice: bytes | None) -> bytes:
        """The PDF signed (PAdES B-B), and tried: by its signature, its XML and its sums.

        Raises DrawingRefused for what does not hold.
        """
        return sealed(pdf, seal, e_invoice)

    def must_hold(self, pdf: bytes, sealed: bytes, seal: Seal, e_invoice: bytes | None) -> None:
        """Try a PDF that was sealed before. Raises DrawingRefused."""
        must_hold(pdf, sealed, seal, e_invoice)

    def read_certificate(self, key_version: str, der: bytes) -> CertificateGiven:
        """A certificate of a key's own, as it was stored."""
        return stored_certificate(key_version, der)

    def own_certificate(
        self,
        issuer: Issuer,
        key_version: str,
        public_key: bytes,
        sign: Callable[[bytes], bytes],
        now: datetime,
    ) -> CertificateGiven:
        """A certificate that a key issues for itself, in the issuer's name."""
        return own_certificate(issuer.name, issuer.country, key_version, public_key, sign, now)

    def identity(self, pdf: bytes) -> tuple[str, str]:
        """The document's number and payload SHA-256 that a PDF claims. Refuses: PdfUnreadable."""
        return read_invoice_identity(pdf)
