"""An identity service to test against, and a forger who signs with its keys.

The clock stands at noon of 1 March 2026.
"""

import base64
import hmac
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from common.local.identity import LocalIdentity
from common.ports.identity import Actor
from common.runtime.oidc import Jwks

ISSUER = "https://identity.example"
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
T = 1_772_366_400  # the same moment, in seconds since 1970
TENANT = UUID("7f1b0c9e-0000-4000-8000-000000000001")
HOUSE = UUID("7f1b0c9e-0000-4000-8000-0000000000a1")
OTHER_HOUSE = UUID("7f1b0c9e-0000-4000-8000-0000000000a2")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SECRET = "Zarghuna-Kakar-4f9c"  # stands in every forged token, may stand in no refusal


class Missing(Enum):
    """What is left out of a token, and reads the same in every process."""

    MISSING = "missing"

    def __repr__(self) -> str:
        return self.value


MISSING = Missing.MISSING
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "billing-service",
    "sub": "usr_layla",
    "iat": T,
    "exp": T + 3600,
    "tenantId": str(TENANT),
    "propertyIds": [str(HOUSE)],
    "scopes": ["billing.folio.read", "billing.folio.write"],
    "auth_strength": "mfa",
    "jti": SECRET,
}
LAYLA = Actor("usr_layla", TENANT, frozenset({HOUSE}), frozenset(GOOD["scopes"]), "mfa")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class Issuer:
    """An identity service whose key set is fetched like a real one's, and counted."""

    def __init__(self, identity: LocalIdentity) -> None:
        self.identity = identity
        self.seconds = 0.0
        self.fetches = 0
        self.down = False
        self.body: bytes | None = None
        self.troubles: list[Exception] = []
        self.keys = Jwks(self.fetch, clock=lambda: self.seconds, on_trouble=self.troubles.append)

    def fetch(self) -> bytes:
        self.fetches += 1
        if self.down:
            raise OSError("connection refused")
        return json.dumps(self.identity.jwks()).encode() if self.body is None else self.body


def run_all(tasks: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=task) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def spelled(document: dict[str, Any]) -> bytes:
    return json.dumps({k: v for k, v in document.items() if v is not MISSING}).encode()


class Forge:
    """Makes tokens that differ from a good one, and are signed all the same."""

    def __init__(self, identity: LocalIdentity, good: dict[str, Any] = GOOD, typ: str = "at+jwt"):
        self.identity = identity
        self.good = good
        self.typ = typ

    def head(self, algorithm: Any = "ES256") -> dict[str, Any]:
        return {"alg": algorithm, "kid": self.kid(algorithm), "typ": self.typ}

    def kid(self, algorithm: Any = "ES256") -> str:
        return self.identity.signing_key(algorithm).kid

    def raw(
        self, payload: bytes | None = None, header: bytes | None = None, algorithm: Any = "ES256"
    ) -> str:
        payload = spelled(self.good) if payload is None else payload
        header = spelled(self.head(algorithm)) if header is None else header
        return self.identity.seal(header, payload, algorithm)

    def claims(self, **changed: object) -> str:
        return self.raw(spelled(self.good | changed))

    def also(self, more: bytes) -> str:
        """The good claims, and then some bytes before the closing brace."""
        return self.raw(spelled(self.good)[:-1] + more + b"}")

    def header(self, by: str = "ES256", **changed: object) -> str:
        return self.raw(header=spelled(self.head(by) | changed), algorithm=by)

    def header_also(self, more: bytes) -> str:
        return self.raw(header=spelled(self.head())[:-1] + more + b"}")

    def parts(self, **changed: object) -> list[str]:
        return self.claims(**changed).split(".")

    def signature(self, change: Callable[[bytes], bytes], by: str = "ES256") -> str:
        return self.resigned(self.raw(algorithm=by), change)

    def resigned(self, token: str, change: Callable[[bytes], bytes]) -> str:
        signed, _, signature = token.rpartition(".")
        return f"{signed}.{base64url(change(unbase64url(signature)))}"

    def unsigned(self, **changed: object) -> str:
        return ".".join(map(base64url, (spelled(self.head() | changed), spelled(self.good)))) + "."

    def hmac(self, secret: bytes, algorithm: str = "HS256") -> str:
        """The public key, which everybody has, used as if it were a shared secret."""
        signed = self.unsigned(alg=algorithm, kid=self.kid("RS256"))[:-1]
        digest = hmac.digest(secret, signed.encode(), algorithm.replace("HS", "sha"))
        return f"{signed}.{base64url(digest)}"

    def pem(self) -> bytes:
        public = self.identity.signing_key("RS256").private.public_key()
        info = serialization.PublicFormat.SubjectPublicKeyInfo
        return public.public_bytes(serialization.Encoding.PEM, info)

    def stranger(self, *, bring_key: bool = False, **header: object) -> str:
        """Signed with a key of the forger's own, which the token may bring along."""
        key = ec.generate_private_key(ec.SECP256R1())
        if bring_key:
            header["jwk"] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        signed = self.unsigned(**header)[:-1]
        signature = ECAlgorithm(ECAlgorithm.SHA256).sign(signed.encode(), key)
        return f"{signed}.{base64url(signature)}"

    def loose_end(self, part: int) -> str:
        """Another spelling of the same bytes: unused bits of a part's last sign are set."""
        texts = [spelled(self.head()), spelled(self.good)]
        header, payload = (text + b" " * (-(len(text) - 1) % 3) for text in texts)
        parts = self.raw(payload, header).split(".")
        signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        parts[part] = parts[part][:-1] + signs[signs.index(parts[part][-1]) | 1]
        return ".".join(parts)
