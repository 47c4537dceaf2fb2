"""A second look, by the person, at the very deed (SEC-4).

Money that leaves and drawers that close want more than a token that lies in a browser: a fresh
confirmation with a second factor, by the caller, for one scope, of one content. The content is
bound by its SHA-256 (`ctx`), so an approval of one drawer, count or amount opens no other. The
approval lives five minutes at most, whatever it says of itself, and its type is checked: neither
does an access token pass for an approval, nor an approval for an access token.

That it counts once is not decided here but by a unique constraint on (issuer, token id), in the
transaction of the deed. Never by the token's text: one signature can be written in several ways.
"""

import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from common.domain.canonical import digest
from common.domain.refusal import Forbidden
from common.ports.identity import Actor, KeySource, StepUp
from common.runtime.authentication import (
    Envelope,
    KeysUnavailable,
    TokenMalformed,
    TokenMissing,
    Unauthenticated,
    check_leeway,
    prove,
    second_in,
    text_in,
    unwrap,
    uuid_of,
    whole_second,
)

STEP_UP_TYPE = "step-up+jwt"
MAX_STEP_UP_LIFETIME_SECONDS = 300
METHODS = frozenset({"totp", "webauthn"})

_ONCE = re.compile(r"[!-~]{8,128}")  # what makes a token single: long enough not to meet by chance
_ASSERTION = re.compile(r"[0-9a-f]{64}|[A-Za-z0-9_-]{43}")  # a SHA-256 in hex or base64url
_CONTEXT = re.compile(r"[0-9a-f]{64}")


class StepUpRefused(Forbidden):
    """The deed was not confirmed in the way that it has to be; nothing has changed."""

    area = "IAM"
    code = "STEP_UP_REFUSED"
    title = "The step-up confirmation was refused"


class StepUpRequired(StepUpRefused):
    code = "STEP_UP_REQUIRED"
    title = "This needs a step-up confirmation"


class StepUpMalformed(StepUpRefused):
    code = "STEP_UP_MALFORMED"
    title = "The step-up token cannot be read, or lacks something"


class StepUpTypeWrong(StepUpRefused):
    code = "STEP_UP_TYPE"
    title = "The token is not a step-up token"


class StepUpSignatureWrong(StepUpRefused):
    code = "STEP_UP_SIGNATURE"
    title = "The step-up token was not signed by the identity service"


class StepUpForAnotherAudience(StepUpRefused):
    code = "STEP_UP_AUDIENCE"
    title = "The step-up token was made for another service"


class StepUpExpired(StepUpRefused):
    code = "STEP_UP_EXPIRED"
    title = "The step-up confirmation has expired"


class StepUpLifetimeRefused(StepUpRefused):
    code = "STEP_UP_LIFETIME"
    title = "The step-up token begins in the future, or lives longer than five minutes"


class StepUpOfAnotherTenant(StepUpRefused):
    code = "STEP_UP_TENANT"
    title = "The step-up token belongs to another tenant"


class StepUpOfAnotherActor(StepUpRefused):
    code = "STEP_UP_ACTOR"
    title = "The step-up confirmation is of somebody else than the caller"


class StepUpForAnotherScope(StepUpRefused):
    code = "STEP_UP_SCOPE"
    title = "The step-up confirmation is for another scope"


class StepUpForAnotherContext(StepUpRefused):
    code = "STEP_UP_CONTEXT"
    title = "What was confirmed is not what is asked for"


def context_of(**parts: object) -> str:
    """Return the context of a deed: the SHA-256, in hex, of its parts in canonical JSON (RFC 8785).

    The server hands it out with the pending action and works it out again before the deed. Parts
    are text, whole numbers, booleans, None, and lists or objects of these; identifiers of the
    database are given as text. Raises TypeError or ValueError for anything else.
    """
    if not parts:
        raise ValueError("a confirmation of nothing confirms everything")
    return digest(parts).hex()


def verify_step_up(
    token: str | None,
    *,
    keys: KeySource,
    issuer: str,
    audience: str,
    now: datetime,
    actor: Actor,
    scope: str,
    context: str,
    leeway_seconds: int = 10,
) -> StepUp:
    """Return the confirmation, when it is the actor's own, fresh, and of exactly this deed.

    `context` comes from `context_of`. The leeway pardons a clock of the issuer that runs ahead; it
    never lengthens a token. Refuses: every `StepUpRefused`.
    """
    claims = _signed_claims(token, keys)
    if claims.get("iss") != issuer:
        raise StepUpSignatureWrong
    if claims.get("aud") != audience:
        raise StepUpForAnotherAudience
    expires_at = _check_life(claims, whole_second(now), check_leeway(leeway_seconds))
    step_up = _step_up_of(claims, issuer, expires_at)
    if uuid_of(claims.get("tenantId")) != actor.tenant_id:
        raise StepUpOfAnotherTenant
    if step_up.actor != actor.sub:
        raise StepUpOfAnotherActor
    if step_up.scope != scope:
        raise StepUpForAnotherScope
    if not hmac.compare_digest(step_up.context, context):
        raise StepUpForAnotherContext
    return step_up


def _signed_claims(token: str | None, keys: KeySource) -> Mapping[str, object]:
    try:
        envelope = unwrap(token)
        _check_type(envelope)
        claims, _ = prove(envelope, keys)
    except KeysUnavailable:
        raise
    except TokenMissing:
        raise StepUpRequired from None
    except TokenMalformed:
        raise StepUpMalformed from None
    except Unauthenticated:
        raise StepUpSignatureWrong from None
    return claims


def _check_type(envelope: Envelope) -> None:
    if envelope.typ != STEP_UP_TYPE:
        raise StepUpTypeWrong


def _check_life(claims: Mapping[str, object], second: int, leeway_seconds: int) -> datetime:
    """Check that the token began, has not ended, and was never meant to last; return its end."""
    issued, end = second_in(claims, "iat"), second_in(claims, "exp")
    first = second_in(claims, "nbf") if "nbf" in claims else issued
    if issued is None or end is None or first is None:
        raise StepUpMalformed
    if not issued < end <= issued + MAX_STEP_UP_LIFETIME_SECONDS:
        raise StepUpLifetimeRefused
    if max(issued, first) > second + leeway_seconds:
        raise StepUpLifetimeRefused
    if second >= end:
        raise StepUpExpired
    return datetime.fromtimestamp(end, UTC)


def _step_up_of(claims: Mapping[str, object], issuer: str, expires_at: datetime) -> StepUp:
    token_id, nonce = text_in(claims, "jti", _ONCE), text_in(claims, "nonce", _ONCE)
    sub, scope = text_in(claims, "sub"), text_in(claims, "scope")
    context, assertion = (
        text_in(claims, "ctx", _CONTEXT),
        text_in(claims, "assertionHash", _ASSERTION),
    )
    method = text_in(claims, "method")
    if token_id is None or nonce is None or sub is None or scope is None:
        raise StepUpMalformed
    if context is None or assertion is None or method is None or method not in METHODS:
        raise StepUpMalformed
    if uuid_of(claims.get("tenantId")) is None:
        raise StepUpMalformed
    return StepUp(token_id, issuer, sub, scope, nonce, context, assertion, method, expires_at)
