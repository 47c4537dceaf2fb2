"""Sending a document: what is asked, and how a sending reads, to staff and to who delivers it."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from common.contracts.fields import EmailAddress, Instant, Language, SendingRef
from common.contracts.shapes import Outcome, Shape
from common.domain.sending import RECIPIENTS_MAX, Sending


def _different(addresses: tuple[str, ...]) -> tuple[str, ...]:
    if len({address.lower() for address in addresses}) < len(addresses):
        raise PydanticCustomError("twice", "Nobody is written to twice")
    return addresses


class SendingAsked(Shape):
    """Whom a document goes to, and the language of the message; none given: the document's own."""

    recipients: Annotated[
        tuple[EmailAddress, ...],
        Field(min_length=1, max_length=RECIPIENTS_MAX),
        AfterValidator(_different),
    ]
    language: Language | None = None


class SendingView(Outcome):
    """That a document was handed over to be sent; the addresses are not told."""

    sending_id: SendingRef
    copy_number: int
    language: str
    recipient_count: int
    sent_by: str
    sent_at: Instant

    @classmethod
    def of(cls, sending: Sending) -> "SendingView":
        return cls(
            sending_id=sending.id,
            copy_number=sending.copy,
            language=sending.language,
            recipient_count=sending.recipient_count,
            sent_by=sending.sent_by,
            sent_at=sending.sent_at,
        )

    @classmethod
    def all(cls, sendings: Iterable[Sending]) -> "tuple[SendingView, ...]":
        """In the order in which they were handed over."""
        return tuple(cls.of(sending) for sending in sendings)
