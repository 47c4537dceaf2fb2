"""Show a sending to who delivers it: the addresses, and a link to the PDF that lives five minutes.

The event that says that a document is to be sent names the sending only. The notification service
asks here, with a scope of its own: who may send need not read to whom others have sent.
"""

from typing import Annotated

from pydantic import Field

from common.contracts.references import SendingRef
from common.contracts.sendings import SendingView
from common.contracts.shapes import Request
from common.domain.dataclass import dataclass
from common.domain.sending import Sending, SendingUnknown
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.procedures.linking import StoredPdf, link, stored
from common.runtime.declaration import http_function


class ShowSending(Request):
    """The sending in the path."""

    sending_id: SendingRef


class SendingToDeliver(SendingView):
    """What is sent, and to whom; `recipients` is null once the addresses are erased."""

    document_id: str
    number: str
    pdf_sha256: str
    pdf_url: Annotated[str, Field(examples=["https://storage.example/inv.pdf?signature=..."])]
    recipients: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Found:
    """A sending with the file that it is of."""

    sending: Sending
    number: str
    pdf_sha256: str
    pdf: StoredPdf


def with_link(found: Found, powers: Powers) -> SendingToDeliver:
    """Sign an address for the file."""
    sending = found.sending
    return SendingToDeliver(
        **dict(SendingView.of(sending)),
        document_id=sending.document_id,
        number=found.number,
        pdf_sha256=found.pdf_sha256,
        pdf_url=link(found.pdf, powers).location,
        recipients=sending.recipients.addresses if sending.recipients else None,
    )


@http_function(
    "GET",
    "/sendings/{sending_id}",
    scope="billing.sending.read",
    perform=with_link,
    needs=("database", "documents"),
    refusals=(SendingUnknown,),
)
def show_sending(request: ShowSending, tx: Transaction) -> Found:
    """Answer a sending with its addresses and a link to the PDF.

    Refuses: SendingUnknown.
    """
    sending = tx.sendings.get(request.sending_id)
    document = tx.invoices.find(sending.document_id)
    if document is None:
        raise SendingUnknown()
    return Found(
        sending,
        document.number,
        document.rendition(sending.copy).pdf_sha256.hex(),
        stored(document, sending.copy, tx.settings),
    )
