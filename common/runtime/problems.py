"""Problem documents (RFC 9457): how every refusal and failure reads to the caller.

The status of a kind of refusal stands in one table here; the domain knows none. A problem says what
is wrong and where, and never repeats what was sent: no payload, SQL, secret or stack leaves.
"""

import json
import re
from typing import Any, Final, Self

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from common.contracts.fields import CARD_DATA
from common.contracts.references import REFUSED
from common.domain.card_data import CardDataFound, find_card_number
from common.domain.refusal import (
    Conflict,
    Forbidden,
    Malformed,
    Missing,
    Refusal,
    Unavailable,
    Unfunded,
    Unmet,
)
from common.ports.identity import VERIFIED_ACCOUNT
from common.ports.transactions import VersionStale
from common.runtime.authentication import KeysUnavailable, Unauthenticated
from common.runtime.execute import TooManyRequests

TYPE_PREFIX: Final = "https://docs.melmastoon.example/problems/"
ERRORS_MAX: Final = 50
_NAME: Final = re.compile(r"[a-z][A-Za-z0-9_-]{0,39}")
_STEP: Final = re.compile(r"[A-Za-z0-9._-]{0,64}")


class RequestInvalid(Refusal):
    """The request is not what the function takes: its shape, its encoding, its headers."""

    area = "GENERAL"
    code = "VALIDATION_FAILED"
    title = "The request is not valid"

    @classmethod
    def at(cls, message: str, *location: str | int) -> Self:
        """What is wrong at one place; with the whole body where no place is named."""
        return cls(message, errors=[_found(location, message)])


class WebhookSignatureInvalid(RequestInvalid):
    """The signature is missing, wrong, of another body, or more than five minutes off."""

    area = "BILLING"
    code = "WEBHOOK_SIGNATURE_INVALID"
    title = "The webhook is not signed as the processor signs"


class BodyTooLarge(Refusal):
    area = "GENERAL"
    code = "BODY_TOO_LARGE"
    title = "The body is too large"


class ContentTypeUnsupported(Refusal):
    area = "GENERAL"
    code = "CONTENT_TYPE_UNSUPPORTED"
    title = "The content type is not supported"


class NotAcceptable(Refusal):
    area = "GENERAL"
    code = "NOT_ACCEPTABLE"
    title = "None of the formats that are accepted can be given"


class MethodNotAllowed(Refusal):
    area = "GENERAL"
    code = "METHOD_NOT_ALLOWED"
    title = "The method is not allowed here"


class PathUnknown(Missing):
    area = "GENERAL"
    code = "PATH_UNKNOWN"
    title = "There is nothing at this path"


class IdempotencyKeyRequired(RequestInvalid):
    code = "IDEMPOTENCY_KEY_REQUIRED"
    title = "A request that moves money needs an Idempotency-Key"


class IdempotencyKeyInvalid(RequestInvalid):
    code = "IDEMPOTENCY_KEY_INVALID"
    title = "An Idempotency-Key is 1 to 255 printable characters"


class ScopeMissing(Forbidden):
    area = "IAM"
    code = "SCOPE_MISSING"
    title = "The access token lacks a scope"

    @classmethod
    def of(cls, scope: str | None) -> Self:
        """What somebody lacks, as they can mend it."""
        if scope == VERIFIED_ACCOUNT:
            return cls("Confirm the account's e-mail address, and sign in again.", scope=scope)
        return cls(f"This needs the scope {scope}.", scope=scope)


class CrossTenantReference(Forbidden):
    area = "GENERAL"
    code = "CROSS_TENANT_REFERENCE"
    title = "The request names another tenant"


class TenantNotServed(Forbidden):
    area = "GENERAL"
    code = "TENANT_UNKNOWN"
    title = "The tenant is not served here"


class TemporarilyUnavailable(Refusal):
    area = "GENERAL"
    code = "TEMPORARILY_UNAVAILABLE"
    title = "The service cannot answer right now; send the same request again"


class Unexpected(Refusal):
    area = "GENERAL"
    code = "INTERNAL_ERROR"
    title = "Something went wrong on our side"


STATUS: Final[tuple[tuple[type[Refusal], int], ...]] = (
    (KeysUnavailable, 503),
    (Unauthenticated, 401),
    (VersionStale, 412),
    (TooManyRequests, 429),
    (BodyTooLarge, 413),
    (ContentTypeUnsupported, 415),
    (NotAcceptable, 406),
    (MethodNotAllowed, 405),
    (RequestInvalid, 400),
    (TemporarilyUnavailable, 503),
    (Unexpected, 500),
    (Missing, 404),
    (Conflict, 409),
    (Forbidden, 403),
    (Malformed, 400),
    (Unmet, 422),
    (Unfunded, 402),
    (Unavailable, 503),
)


def status_of(refusal: Refusal | type[Refusal]) -> int:
    """The HTTP status of a refusal: the first kind in the table that it is."""
    kind = refusal if isinstance(refusal, type) else type(refusal)
    return next(status for base, status in STATUS if issubclass(kind, base))


def full_code(refusal: Refusal | type[Refusal]) -> str:
    """The code that a client acts on: `MELMASTOON.BILLING.FOLIO_CLOSED`."""
    return f"MELMASTOON.{refusal.area}.{refusal.code}"


def problem(refusal: Refusal, *, instance: str, trace_id: str) -> str:
    """The problem document of a refusal, as JSON; what it says besides never takes their place."""
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + refusal.code.lower().replace("_", "-"),
        "title": refusal.title,
        "status": status_of(refusal),
        "detail": refusal.detail or refusal.title,
        "instance": _shown(instance),
        "code": full_code(refusal),
        "traceId": trace_id,
    }
    return json.dumps(document | {**refusal.extra, **document}, default=str)


def invalid(error: ValidationError) -> Refusal:
    """What a request's validation found, by place.

    A card number comes first. What a rule of the domain refuses is answered as that refusal when
    nothing is wrong with the request's shape.
    """
    found = _plain(error.errors(include_url=False, include_input=False))
    for each in found:
        if each["type"] == CARD_DATA:
            return CardDataFound(_pointer(each["loc"]))
    errors = [_found(each["loc"], each["msg"]) for each in found[:ERRORS_MAX]]
    if all(each["type"] == REFUSED for each in found):
        refusal: Refusal = found[0]["ctx"]["refusal"]
        refusal.extra["errors"] = errors
        return refusal
    return RequestInvalid("See errors for the places.", errors=errors)


def _plain(found: list[ErrorDetails]) -> list[ErrorDetails]:
    """The errors, but for those that say a list is too short because its items are wrong."""
    holding = {each["loc"][:depth] for each in found for depth in range(len(each["loc"]))}
    return [e for e in found if e["type"] != "too_short" or e["loc"] not in holding]


def _found(location: tuple[int | str, ...], message: str) -> dict[str, str]:
    """An error at its place. Of a malformed UUID, pydantic would quote the sign that is wrong."""
    words = message.removeprefix("Value error, ").split(", invalid character: ")[0]
    return {"pointer": _pointer(location), "message": words}


def _pointer(location: tuple[int | str, ...]) -> str:
    """The place as a JSON pointer. A name that no field could have is not repeated."""
    steps = (step for step in location if step != "[key]")
    return "".join(f"/{step if _is_name(step) else '*'}" for step in steps)


def _is_name(step: int | str) -> bool:
    if isinstance(step, int):
        return True
    return _NAME.fullmatch(step) is not None and not find_card_number(step)


def _shown(path: str) -> str:
    """The path that was asked for, as far as it may be one of ours."""
    steps = path.split("/")
    return "/".join(s if _STEP.fullmatch(s) and not find_card_number(s) else "*" for s in steps)
