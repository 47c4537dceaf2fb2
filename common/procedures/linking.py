"""Leading to a stored PDF: a signed address that lives five minutes; the file is never public."""

from typing import Final
from uuid import UUID

from common.contracts.shapes import Outcome
from common.domain.issued_document import IssuedDocument
from common.domain.settings import Settings
from common.ports.powers import Powers

LINK_SECONDS: Final = 300


class StoredPdf(Outcome):
    """Where the PDF lies in the tenant's own store."""

    tenant_id: str
    object_name: str


class PdfLink(Outcome):
    """Where the PDF can be fetched for the next five minutes."""

    location: str


def stored(document: IssuedDocument, copy: int, settings: Settings) -> StoredPdf:
    """One of a document's PDFs. Refuses: DocumentNotRendered."""
    rendition = document.rendition(copy)
    return StoredPdf(tenant_id=str(settings.tenant_id), object_name=rendition.object_name)


def link(found: StoredPdf, powers: Powers) -> PdfLink:
    """Sign an address for the stored file."""
    location = powers.documents.link(UUID(found.tenant_id), found.object_name, LINK_SECONDS)
    return PdfLink(location=location)
