"""Opening a closed folio again: something was forgotten, or was wrong (CLO-4).

The documents that were issued stay as they are, and what stands on them is never billed again. On
the folio everything can be done that an open one allows: what stands on a document is corrected
there by further lines. Closing it again bills only those, by one further document: an invoice, or,
where they come to less than nothing, a credit note (`common.domain.difference`). Money that changed
hands without anything else changing needs no document.

An invoice is corrected in one place at a time. While its folio is closed, by credit notes; while it
is open again, there. What a credit note took something off is not corrected on the folio any more,
and what was corrected there takes no credit note: nothing is given back twice.

Whoever opens a folio again confirms it, gives a reason, and says whether the guest is still in the
house: if not, no later night audit charges what was once planned for the stay.
"""

from uuid import UUID

from common.domain.canonical import digest
from common.domain.cash import Confirmed
from common.domain.dataclass import dataclass
from common.domain.folio import Folio, FolioFact, FolioStatus
from common.domain.identifiers import FolioId
from common.domain.refusal import Conflict

REOPENING = "folio.reopen"


class FolioNotClosed(Conflict):
    code = "FOLIO_NOT_CLOSED"
    title = "The folio is open"


@dataclass(frozen=True, slots=True)
class Reopening:
    """That a folio was opened again, as its `number`th time, and by whose confirmation."""

    folio_id: FolioId
    number: int
    billed_to: int
    confirmed: Confirmed


@dataclass(frozen=True, kw_only=True)
class FolioReopened(FolioFact):
    """`billed_to` is the last of its lines that stands on a document."""

    name = "folio.reopened"
    reopening: Reopening


def reopen(folio: Folio, reason: str, confirmed: Confirmed) -> FolioReopened:
    """Open a closed folio again; sums of tax begin anew with the next document.

    Refuses: FolioNotClosed.
    """
    if folio.status is not FolioStatus.CLOSED:
        raise FolioNotClosed(folioId=folio.id)
    folio.status = FolioStatus.OPEN
    folio.closed_at = None
    folio.reopened += 1
    folio.billed_to = folio.last_line
    return FolioReopened(
        subject=folio,
        sequence=folio.next_sequence(),
        reason=reason,
        reopening=Reopening(folio.id, folio.reopened, folio.billed_to, confirmed),
    )


def reopening_sha256(tenant_id: UUID, folio_id: FolioId) -> bytes:
    """What is confirmed by who opens a folio again."""
    return digest({"deed": REOPENING, "tenant": str(tenant_id), "folio": folio_id})
