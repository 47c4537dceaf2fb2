"""Sending a document: what is asked, and how a sending reads, to staff and to who delivers it."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from common.contracts.fields import Instant, Language, no_card_number
from common.contracts.references import SendingRef
from common.contracts.shapes import Outcome, Shape
from common.domain.sending import RECIPIENTS_MAX, Sending


def _email(text: str) -> str:
    """The address as it is written to, its domain in small letters; no name before it."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise PydanticCustomError("email", "This is not an e-mail address") from None


EmailAddress = Annotated[
    str,
    StringConstraints(strict=True, min_length=3, max_length=254),
    AfterValidator(no_card_number),
    AfterValidator(_email),
    Field(json_schema_extra={"format": "email"}, examples=["zarmina@example.com"]),
]
"""An e-mail address (RFC 5321, and 6531 for other letters), and nothing besides."""


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
