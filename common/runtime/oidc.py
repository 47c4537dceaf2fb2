"""OpenID Connect: the keys that an issuer publishes, and the word of Google's services.

Keys (SEC-1). `Jwks` keeps an issuer's keys for ten minutes and fetches them anew at eight, in one
caller while the others go on with the old ones. An unknown key is looked for once, and never more
often than every half minute, so that a flood of invented names is no flood of fetches. When the
issuer is down, the keys at hand serve on: a hotel keeps working while its login page does not.

Services (SEC-5). Pub/Sub's pushes and the scheduler's calls carry an identity token of Google. A
good signature only says that Google made it; that it was made for this address, and for the one
service account that may call here, is checked as well.

PyJWT loads with the first key, not on import.
"""

import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from typing import TYPE_CHECKING, cast

from common.domain.dataclass import dataclass
from common.domain.refusal import Forbidden
from common.ports.identity import KeySource, VerificationKey
from common.runtime.authentication import (
    KEY_NAME,
    KeysUnavailable,
    TokenClaimsRefused,
    TokenForAnotherAudience,
    TokenIssuerUnknown,
    check_leeway,
    prove,
    span_of,
    text_in,
    unwrap,
    whole_second,
)

if TYPE_CHECKING:
    from jwt import PyJWK

GOOGLE_ISSUERS = frozenset({"https://accounts.google.com", "accounts.google.com"})
GOOGLE_KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs"

KEYS_LIFETIME_SECONDS = 600
KEYS_REFRESH_SECONDS = 480
LOOK_AGAIN_SECONDS = 30
RETRY_WITHOUT_KEYS_SECONDS = 2
MAX_JWKS_BYTES = 256 * 1024
MAX_KEYS = 64

_MODULUS_BITS = range(2048, 8192 + 1)
_SERVICE_TYPES = frozenset({None, "JWT"})
_SERVICE_LIFETIME_SECONDS = 24 * 60 * 60


class ServiceAccountRefused(Forbidden):
    """The token is good, but of another service account than the one that may call here."""

    area = "IAM"
    code = "SERVICE_ACCOUNT_REFUSED"
    title = "This service account may not call here"


@dataclass(frozen=True, slots=True)
class ServiceCaller:
    """The service account on whose behalf Google called."""

    sub: str
    email: str


class ServiceTokens:
    """Verifies identity tokens of Google's services, or of the laptop's issuer in their place."""

    def __init__(
        self,
        keys: KeySource,
        *,
        clock: Callable[[], datetime],
        issuers: frozenset[str] = GOOGLE_ISSUERS,
        leeway_seconds: int = 10,
    ) -> None:
        self._keys = keys
        self._clock = clock
        self._issuers = issuers
        self._leeway_seconds = check_leeway(leeway_seconds)

    def verify(self, token: str | None, *, audience: str, email: str) -> ServiceCaller:
        """Return the caller, who has to be the service account `email` calling `audience`.

        Refuses: every `Unauthenticated`, ServiceAccountRefused.
        """
        envelope = unwrap(token)
        if envelope.typ not in _SERVICE_TYPES:
            raise TokenClaimsRefused
        claims, _ = prove(envelope, self._keys)
        issuer = claims.get("iss")
        if not (isinstance(issuer, str) and issuer in self._issuers):
            raise TokenIssuerUnknown
        if claims.get("aud") != audience:
            raise TokenForAnotherAudience
        span = span_of(
            claims,
            leeway_seconds=self._leeway_seconds,
            lifetime_seconds=_SERVICE_LIFETIME_SECONDS,
        )
        span.check(whole_second(self._clock()))
        sub, address = text_in(claims, "sub"), text_in(claims, "email")
        if sub is None or address is None:
            raise TokenClaimsRefused
        if address != email or claims.get("email_verified") is not True:
            raise ServiceAccountRefused
        return ServiceCaller(sub, address)


@dataclass(frozen=True, slots=True)
class JwkKey:
    """A public key out of a key set. Two are equal when they verify the same signatures."""

    kid: str
    algorithm: str
    numbers: tuple[str, ...]
    _jwk: "PyJWK" = field(compare=False, repr=False)

    def payload_of(self, token: str) -> bytes | None:
        """Return what the token says when this key signed it, otherwise None."""
        from jwt import PyJWS, PyJWTError

        try:
            return cast(bytes, PyJWS().decode(token, self._jwk, algorithms=[self.algorithm]))
        except PyJWTError:
            return None


def _ignore(trouble: Exception) -> None:
    """Tell nobody."""


class Jwks:
    """The keys of one issuer, read through `fetch`, which has to end by its own time-outs.

    `clock` is any clock of seconds that never steps back. `on_trouble` is told of every fetch that
    failed. Safe for many threads; at most one of them fetches.
    """

    def __init__(
        self,
        fetch: Callable[[], bytes],
        *,
        clock: Callable[[], float] = time.monotonic,
        on_trouble: Callable[[Exception], None] = _ignore,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._on_trouble = on_trouble
        self._fetching = threading.Lock()
        self._attempts = 0
        self._keys: Mapping[str, VerificationKey] = {}
        self._due_at = self._stale_at = self._look_again_at = -math.inf

    def key(self, kid: str) -> VerificationKey | None:
        """Return the key of that name, or None. Refuses: KeysUnavailable, while none is known."""
        seen = self._attempts  # before anything else is read, see _attempt
        now = self._clock()
        if now >= self._due_at:
            self._attempt(seen, now, wait=now >= self._stale_at)
        found = self._keys.get(kid)
        if found is None and self._keys and now >= self._look_again_at:
            self._attempt(seen, now, wait=True, look_again_at=now + LOOK_AGAIN_SECONDS)
            found = self._keys.get(kid)
        if not self._keys:
            raise KeysUnavailable
        return found

    def _attempt(
        self, seen: int, now: float, *, wait: bool, look_again_at: float = -math.inf
    ) -> None:
        """Fetch the keys, unless somebody has tried since `seen`, or does now and we need not wait.

        All times are set after the fetch, so that who comes meanwhile waits for it; the count of
        attempts moves last, so that who reads the new count reads the new times too.
        """
        if not self._fetching.acquire(blocking=wait):
            return
        try:
            if seen != self._attempts:
                return
            try:
                self._keep(_keys_in(self._fetch()), now)
            except Exception as trouble:  # noqa: BLE001 - whatever a fetch raises is an outage
                self._go_on_without(trouble)
            self._look_again_at = max(self._look_again_at, look_again_at)
            self._attempts += 1
        finally:
            self._fetching.release()

    def _keep(self, keys: Mapping[str, VerificationKey], fetched_at: float) -> None:
        self._keys = keys
        self._due_at = fetched_at + KEYS_REFRESH_SECONDS
        self._stale_at = fetched_at + KEYS_LIFETIME_SECONDS

    def _go_on_without(self, trouble: Exception) -> None:
        """Serve the keys at hand, however old, and make nobody wait for the next attempt."""
        now = self._clock()
        self._due_at = now + (LOOK_AGAIN_SECONDS if self._keys else RETRY_WITHOUT_KEYS_SECONDS)
        self._stale_at = math.inf if self._keys else -math.inf
        self._look_again_at = now + LOOK_AGAIN_SECONDS
        self._on_trouble(trouble)


def _keys_in(document: bytes) -> dict[str, VerificationKey]:
    """Read a key set (RFC 7517), leaving out every key that cannot verify our tokens.

    Raises ValueError when nothing usable is left: an issuer without keys is an issuer in trouble.
    """
    if len(document) > MAX_JWKS_BYTES:
        raise ValueError("the key set is too large")
    body = json.loads(document)
    listed = body.get("keys") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        raise ValueError("the answer is not a key set")
    keys: dict[str, VerificationKey] = {}
    for jwk in listed[:MAX_KEYS]:
        key = _usable(jwk)
        if key is not None:
            keys.setdefault(key.kid, key)
    if not keys:
        raise ValueError("the key set has no key that can verify RS256 or ES256")
    return keys


def _usable(jwk: object) -> JwkKey | None:
    """Take a public signing key, RSA or on P-256; leave anything else, secret keys above all."""
    match jwk:
        case {"d": _} | {"k": _}:
            return None
        case {"kty": "RSA", "kid": str(kid), "n": str(n), "e": str(e), **rest}:
            algorithm, numbers = "RS256", {"kty": "RSA", "n": n, "e": e}
        case {"kty": "EC", "crv": "P-256", "kid": str(kid), "x": str(x), "y": str(y), **rest}:
            algorithm, numbers = "ES256", {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        case _:
            return None
    operations = rest.get("key_ops", ["verify"])
    if rest.get("alg", algorithm) != algorithm or rest.get("use", "sig") != "sig":
        return None
    if not (isinstance(operations, list) and "verify" in operations and KEY_NAME.fullmatch(kid)):
        return None
    return _built(kid, algorithm, numbers)


def _built(kid: str, algorithm: str, numbers: dict[str, str]) -> JwkKey | None:
    from jwt import PyJWK

    try:
        key = PyJWK(numbers, algorithm=algorithm)
    except Exception:  # noqa: BLE001 - one broken key may not take the good ones with it
        return None
    if algorithm == "RS256" and key.key.key_size not in _MODULUS_BITS:
        return None
    return JwkKey(kid, algorithm, tuple(numbers.values()), key)
