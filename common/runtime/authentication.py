"""Nobody touches money unnamed: access tokens of the identity service (SEC-1).

The token says who acts; the key, never the token, says how it was signed. So the algorithm is
pinned by the type of the key, keys come from the issuer's own address only (`Jwks`, in oidc), and
a token that brings a key or an extension along is refused unread. Times are checked here against
the clock that was handed in, to the second: the laptop's clock can be moved, and a ledger wants to
know exactly.

Every failure is an `Unauthenticated` with a stable code and a fixed sentence: nothing that the
caller sent comes back to them.
"""

import binascii
import hashlib
import json
import re
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NoReturn, cast
from uuid import UUID

from common.domain.dataclass import dataclass
from common.domain.refusal import Refusal
from common.ports.identity import VERIFIED_ACCOUNT, Actor, KeySource, VerificationKey

ALGORITHMS = frozenset({"RS256", "ES256"})
AUDIENCE = "billing-service"
MAX_TOKEN_BYTES = 8 * 1024
MAX_LEEWAY_SECONDS = 30
MAX_ACCESS_LIFETIME_SECONDS = 24 * 60 * 60

_ACCESS_TYPES = frozenset({None, "JWT", "at+jwt"})
_STRENGTHS = frozenset({"pwd", "mfa", "step_up"})
_LAST_SECOND = 253_402_300_799  # of the year 9999, where datetime ends
_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
KEY_NAME = re.compile(r"[!-~]{1,128}")
_NAME = re.compile(r"[!-~]{1,255}")
EMAIL_CHARACTERS_MAX = 254
_SCOPE = re.compile(r"[!#-\[\]-~]{1,128}")  # RFC 6749, section 3.3
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Header parameters that bring a key of the token's own, or change how the token is to be read.
_INTRUSIVE = frozenset({"jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "enc"})


class Unauthenticated(Refusal):
    """The caller could not be made out. Answered with 401; the title is all that it ever says."""

    area = "IAM"
    code = "UNAUTHENTICATED"
    title = "The request carries no usable proof of who sent it"


class TokenMissing(Unauthenticated):
    code = "TOKEN_MISSING"
    title = "An access token is needed: Authorization: Bearer <token>"


class TokenMalformed(Unauthenticated):
    code = "TOKEN_MALFORMED"
    title = "The token is not a signed token in compact form that can be read"


class TokenExpired(Unauthenticated):
    code = "TOKEN_EXPIRED"
    title = "The token has expired; ask the identity service for a new one"


class TokenNotYetValid(Unauthenticated):
    code = "TOKEN_NOT_YET_VALID"
    title = "The token is not valid yet"


class TokenIssuerUnknown(Unauthenticated):
    code = "TOKEN_ISSUER"
    title = "The token is not of the issuer that this service trusts"


class TokenForAnotherAudience(Unauthenticated):
    code = "TOKEN_AUDIENCE"
    title = "The token was made for another service, or for several"


class TokenSignatureWrong(Unauthenticated):
    code = "TOKEN_SIGNATURE"
    title = "The signature of the token does not fit"


class TokenKeyUnknown(Unauthenticated):
    code = "TOKEN_KEY_UNKNOWN"
    title = "The token names no key, or one that the issuer does not publish"


class TokenAlgorithmRefused(Unauthenticated):
    code = "TOKEN_ALGORITHM"
    title = "The token's algorithm is not RS256 or ES256, or not that of its key"


class TokenClaimsRefused(Unauthenticated):
    code = "TOKEN_CLAIMS"
    title = "The token does not say what a token for this call has to say"


class KeysUnavailable(Unauthenticated):
    code = "TOKEN_KEYS_UNAVAILABLE"
    title = "The identity service's keys cannot be read at the moment"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a token says about itself before anything is proven."""

    token: str
    algorithm: str
    kid: str
    typ: str | None


def bearer_token(authorization: str | None) -> str:
    """Take the token out of an Authorization header. Refuses: TokenMissing."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenMissing
    return token.strip()


def unwrap(token: str | None) -> Envelope:
    """Read the outside of a token, trusting none of it.

    Refuses: TokenMissing, TokenMalformed, TokenAlgorithmRefused, TokenKeyUnknown (no key named).
    """
    if not token:
        raise TokenMissing
    if len(token) > MAX_TOKEN_BYTES:
        raise TokenMalformed
    parts = _COMPACT.fullmatch(token)
    if parts is None:
        raise TokenMalformed
    header = _json_object(_decoded(parts[1]))
    _decoded(parts[2])
    _decoded(parts[3])
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if _INTRUSIVE & header.keys() or ("typ" in header and not isinstance(typ, str)):
        raise TokenMalformed
    if not (isinstance(algorithm, str) and algorithm in ALGORITHMS):
        raise TokenAlgorithmRefused
    if "kid" not in header:
        raise TokenKeyUnknown
    if not (isinstance(kid, str) and KEY_NAME.fullmatch(kid)):
        raise TokenMalformed
    return Envelope(token, algorithm, kid, cast("str | None", typ))


def prove(envelope: Envelope, keys: KeySource) -> tuple[dict[str, object], VerificationKey]:
    """Check the signature with the issuer's key; return what the token says, and that key.

    Refuses: TokenKeyUnknown, TokenAlgorithmRefused, TokenSignatureWrong, TokenMalformed,
    KeysUnavailable.
    """
    key = keys.key(envelope.kid)
    if key is None:
        raise TokenKeyUnknown
    if key.algorithm != envelope.algorithm:
        raise TokenAlgorithmRefused
    payload = key.payload_of(envelope.token)
    if payload is None:
        raise TokenSignatureWrong
    return _json_object(payload), key


def whole_second(now: datetime) -> int:
    """The second that has begun, since 1970; token times count in these. Needs an aware time."""
    if now.tzinfo is None:
        raise ValueError("the clock gave a time without a zone")
    return int(now.timestamp())


def second_in(claims: Mapping[str, object], name: str) -> int | None:
    """Read a time claim: a whole number of seconds, or None when absent, null or anything else."""
    value = claims.get(name)
    return value if type(value) is int and 0 <= value <= _LAST_SECOND else None


def text_in(claims: Mapping[str, object], name: str, form: re.Pattern[str] = _NAME) -> str | None:
    """Read a text claim that has to fit the form, or None when it is absent or does not."""
    value = claims.get(name)
    return value if isinstance(value, str) and form.fullmatch(value) else None


def uuid_of(value: object) -> UUID | None:
    """Read a UUID in its usual spelling with dashes, or None for anything else."""
    return UUID(value) if isinstance(value, str) and _UUID.fullmatch(value) else None


@dataclass(frozen=True, slots=True)
class Span:
    """The seconds in which a token is good: from `first`, before `end`."""

    first: int
    end: int

    def check(self, second: int) -> None:
        """Refuses: TokenExpired, TokenNotYetValid."""
        if second >= self.end:
            raise TokenExpired
        if second < self.first:
            raise TokenNotYetValid


def span_of(claims: Mapping[str, object], *, leeway_seconds: int, lifetime_seconds: int) -> Span:
    """Work out when a token is good. `exp` and `iat` have to be there, `nbf` is honoured.

    Refuses: TokenClaimsRefused, also for a token that would live longer than `lifetime_seconds`.
    """
    issued, end = second_in(claims, "iat"), second_in(claims, "exp")
    first = second_in(claims, "nbf") if "nbf" in claims else issued
    if issued is None or end is None or first is None:
        raise TokenClaimsRefused
    if not issued < end <= issued + lifetime_seconds:
        raise TokenClaimsRefused
    return Span(max(issued, first) - leeway_seconds, end + leeway_seconds)


def check_leeway(leeway_seconds: int) -> int:
    """Let a tolerance between clocks be at most half a minute."""
    if not 0 <= leeway_seconds <= MAX_LEEWAY_SECONDS:
        raise ValueError(f"a leeway lies between 0 and {MAX_LEEWAY_SECONDS} seconds")
    return leeway_seconds


def _decoded(segment: str) -> bytes:
    """Decode base64url without padding, in its one canonical spelling."""
    try:
        decoded = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error:
        raise TokenMalformed from None
    if urlsafe_b64encode(decoded).rstrip(b"=") != segment.encode():
        raise TokenMalformed
    return decoded


def _json_object(raw: bytes) -> dict[str, object]:
    """Parse a JSON object in UTF-8 in which no name stands twice and no number is not one."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_each_once, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise TokenMalformed from None
    if not isinstance(value, dict):
        raise TokenMalformed
    return value


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a name stands twice")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True, slots=True)
class _Verified:
    actor: Actor
    key: VerificationKey
    span: Span


class AccessTokens:
    """Verifies access tokens of one issuer, and remembers the last ones that it verified.

    A remembered token is still held against the clock, and against the issuer's present keys: a
    token dies with its key. Memory holds digests of tokens, never tokens. Safe for many threads.
    """

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        clock: Callable[[], datetime],
        audience: str = AUDIENCE,
        leeway_seconds: int = 10,
        remembered: int = 2048,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock
        self._audience = audience
        self._leeway_seconds = check_leeway(leeway_seconds)
        self._remembered = remembered
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, token: str | None) -> Actor:
        """Return the actor for whom the token speaks. Refuses: every `Unauthenticated`."""
        if not token:
            raise TokenMissing
        if len(token) > MAX_TOKEN_BYTES:
            raise TokenMalformed
        second = whole_second(self._clock())
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        verified = self._recall(digest) or self._read(token)
        verified.span.check(second)
        self._remember(digest, verified)
        return verified.actor

    def _recall(self, digest: bytes) -> _Verified | None:
        verified = self._verified.get(digest)
        if verified is not None and self._keys.key(verified.key.kid) == verified.key:
            return verified
        return None

    def _read(self, token: str) -> _Verified:
        envelope = unwrap(token)
        if envelope.typ not in _ACCESS_TYPES:
            raise TokenClaimsRefused
        claims, key = prove(envelope, self._keys)
        if claims.get("iss") != self._issuer:
            raise TokenIssuerUnknown
        if claims.get("aud") != self._audience:
            raise TokenForAnotherAudience
        span = span_of(
            claims,
            leeway_seconds=self._leeway_seconds,
            lifetime_seconds=MAX_ACCESS_LIFETIME_SECONDS,
        )
        return _Verified(_actor_of(claims), key, span)

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        with self._lock:
            self._verified[digest] = verified
            self._verified.move_to_end(digest)
            if len(self._verified) > self._remembered:
                self._verified.popitem(last=False)


def _actor_of(claims: Mapping[str, object]) -> Actor:
    sub, tenant_id = text_in(claims, "sub"), uuid_of(claims.get("tenantId"))
    properties, scopes = claims.get("propertyIds"), claims.get("scopes")
    strength = claims.get("auth_strength")
    if sub is None or tenant_id is None or not isinstance(strength, str):
        raise TokenClaimsRefused
    if not (strength in _STRENGTHS and isinstance(properties, list) and isinstance(scopes, list)):
        raise TokenClaimsRefused
    held = [uuid_of(each) for each in properties]
    if not all(isinstance(scope, str) and _SCOPE.fullmatch(scope) for scope in scopes):
        raise TokenClaimsRefused
    property_ids = frozenset(each for each in held if each is not None)
    if None in held:
        raise TokenClaimsRefused
    email = _verified_email(claims)
    held_scopes = frozenset(scopes) - {VERIFIED_ACCOUNT}
    if email is not None:
        held_scopes |= {VERIFIED_ACCOUNT}
    return Actor(sub, tenant_id, property_ids, held_scopes, strength, email)


def _verified_email(claims: Mapping[str, object]) -> str | None:
    """The account's address where the identity service says, by `true` and nothing like it, that
    it has verified it (OpenID Connect Core 1.0, section 5.1)."""
    email = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(email, str):
        return None
    return email if 0 < len(email) <= EMAIL_CHARACTERS_MAX else None
