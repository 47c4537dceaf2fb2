"""A pushed message: what came, kept as it came, and the event that can be read in it.

Three forms mean the same (CloudEvents 1.0): a push of Pub/Sub, with the attributes of its binding
for CloudEvents, an HTTP request in binary mode, and one in structured mode. Whatever came can be
written down and read again, so that a refused message is replayed through the same reading.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import unquote
from uuid import UUID

from pydantic import Field
from werkzeug.wrappers import Request as HttpRequest

from common.contracts.shapes import Incoming
from common.domain.card_data import CardDataFound, Path, find_card_number, scan
from common.domain.dataclass import dataclass
from common.domain.refusal import Refusal
from common.runtime.parsing import json_object, read
from common.runtime.problems import BodyTooLarge, ContentTypeUnsupported, RequestInvalid

BODY_BYTES_MAX: Final = 4 * 2**20
LETTER_BODY_BYTES_MAX: Final = 2**20
CE: Final = "ce-"
STRUCTURED: Final = "application/cloudevents+json"
MESSAGE_ID_HEADER: Final = "x-goog-pubsub-message-id"
_KEPT_HEADERS: Final = ("content-type", "content-encoding", MESSAGE_ID_HEADER)
_MESSAGE_ID: Final = re.compile(r"[!-~]{1,255}")
_CARD_DATA_WITHHELD: Final = "card data"
_IDS: Final = frozenset(
    {"id", "source", "subject", "tenantid", "time", "sequence", "partitionkey", "traceparent"}
    | {MESSAGE_ID_HEADER}
)
_ID: Final = re.compile(r"[!-~]{1,1024}")


class _Message(Incoming):
    """Pub/Sub's message, as far as it is read."""

    attributes: dict[str, str] = {}
    data: str = ""
    message_id: str = ""


class _Push(Incoming):
    """The body of a wrapped push."""

    message: _Message


class _Context(Incoming):
    """The attributes of a CloudEvent that are needed; others are passed over."""

    specversion: Literal["1.0"]
    id: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
    source: Annotated[str, Field(pattern=r"^[!-~]{1,1024}$")]
    type: Annotated[str, Field(pattern=r"^[!-~]{1,255}$")]
    tenantid: UUID
    traceparent: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedEvent:
    """An event that somebody told us. A source gives an id to one event only.

    `time` is when it happened, where its source says so in a way that can be read.
    """

    id: str
    source: str
    type: str
    tenant_id: UUID
    traceparent: str
    time: datetime | None
    data: dict[str, Any]

    @property
    def identity(self) -> str:
        """What makes two deliveries the same event."""
        return f"{self.source}#{self.id}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """Headers and body of one push. Making one refuses nothing; reading it may."""

    headers: dict[str, str]
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """What a request brought; of a body that is too large, enough to know that it is."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        kept = {
            name: value
            for name, value in headers.items()
            if name.startswith(CE) or name in _KEPT_HEADERS
        }
        return cls(kept, request.stream.read(BODY_BYTES_MAX + 1))

    @classmethod
    def of_letter(cls, text: str) -> Self:
        """What `letter` wrote down. Refuses one whose body was withheld: RequestInvalid."""
        document = json.loads(text)
        if "withheld" in document:
            raise RequestInvalid(f"The message was not kept: {document['withheld']}.")
        body = document["body"]
        return cls(
            document["headers"],
            base64.b64decode(document["bodyBase64"]) if body is None else body.encode(),
        )

    @property
    def message_id(self) -> str:
        """The broker's id of the message, or a digest of what came where none can be read.

        Never the event's own id: it is its source's, and two messages that bear it are two letters.
        """
        try:
            wrapped = str(self._document().get("message", {}).get("messageId", ""))
        except (Refusal, AttributeError):
            wrapped = ""
        for name in (self.headers.get(MESSAGE_ID_HEADER, ""), wrapped):
            if name and _MESSAGE_ID.fullmatch(name):
                return name
        came = json.dumps(self.headers, sort_keys=True).encode() + b"\n" + self.body
        return f"sha256:{hashlib.sha256(came).hexdigest()}"

    def event(self) -> PushedEvent:
        """The event in it.

        Refuses: RequestInvalid, BodyTooLarge, ContentTypeUnsupported.
        """
        if len(self.body) > BODY_BYTES_MAX:
            raise BodyTooLarge(f"At most {BODY_BYTES_MAX} bytes.")
        if self.headers.get("content-encoding", "identity") != "identity":
            raise ContentTypeUnsupported("Send the body without content encoding.")
        if "ce-specversion" in self.headers or "ce-id" in self.headers:
            decoded = {name: unquote(value) for name, value in self.headers.items()}
            return _event(_context(decoded), self._document())
        if self._content_type == STRUCTURED:
            return _structured(self._document())
        message = read(_Push, self._document()).message
        raw = _from_base64(message.data)
        context = _context(message.attributes)
        if context.get("content-type") == STRUCTURED:
            return _structured(json_object(raw))
        return _event(context, json_object(raw) if raw else {})

    def letter(self) -> str:
        """The message in JSON, to be read again with `of_letter`; never with a card's number."""
        if _holds_card_number(self.body) or _names_card_number(self.headers):
            return json.dumps({"withheld": _CARD_DATA_WITHHELD})
        if len(self.body) > LETTER_BODY_BYTES_MAX:
            digest = hashlib.sha256(self.body).hexdigest()
            return json.dumps({"withheld": f"too large, sha256 {digest}"})
        document: dict[str, Any] = {"headers": self.headers, "body": None}
        try:
            document["body"] = self.body.decode()
        except UnicodeDecodeError:
            document["bodyBase64"] = base64.b64encode(self.body).decode()
        return json.dumps(document)

    @property
    def _content_type(self) -> str:
        return self.headers.get("content-type", "").split(";", 1)[0].strip().lower()

    def _document(self) -> dict[str, Any]:
        return json_object(self.body) if self.body else {}


def _holds_card_number(body: bytes) -> bool:
    """Whether what a card's number looks like stands in a body, wrapped or not.

    The broker's own ids are runs of digits as well, and are not looked at.
    """
    try:
        document = json_object(body)
    except Refusal:
        return find_card_number(body.decode(errors="replace"))
    match document:
        case {"message": {"attributes": dict(attributes)}} if _names_card_number(attributes):
            return True
        case {"message": {"data": str(data)}}:
            try:
                return _holds_card_number(_from_base64(data))
            except Refusal:
                return find_card_number(data)
        case {"message": dict()}:
            return False
    try:
        scan(document, _is_no_amount)
    except CardDataFound:
        return True
    return False


def _names_card_number(attributes: Mapping[str, object]) -> bool:
    """Whether what a card's number looks like stands in an attribute that is no id and no time, or
    in one that is called an id and cannot be one."""
    return any(
        isinstance(value, str)
        and not (name.lower().removeprefix(CE) in _IDS and _ID.fullmatch(value))
        and find_card_number(value)
        for name, value in attributes.items()
    )


def _context(attributes: Mapping[str, str]) -> dict[str, str]:
    """Attributes by their own names: `ce-id` and `id` are the same, and may not differ."""
    context: dict[str, str] = {}
    for name, value in attributes.items():
        plain = name.lower().removeprefix(CE)
        if context.setdefault(plain, value) != value:
            raise RequestInvalid("An attribute is given twice.")
    return context


def _structured(document: dict[str, Any]) -> PushedEvent:
    """Attributes as they were told: null is none at all, and no number becomes somebody's id."""
    told = {name: value for name, value in document.items() if value is not None}
    data = told.pop("data", None)
    return _event(told, data)


def _event(attributes: Mapping[str, object], data: object) -> PushedEvent:
    if not isinstance(data, dict):
        raise RequestInvalid("The event's data is not a JSON object.")
    context = read(_Context, attributes)
    return PushedEvent(
        id=context.id,
        source=context.source,
        type=context.type,
        tenant_id=context.tenantid,
        traceparent=context.traceparent,
        time=_instant(context.time),
        data=data,
    )


def _instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise RequestInvalid("The message's data is not base64.") from None


def _is_no_amount(path: Path) -> bool:
    return path[-1] != "amountMicro"
