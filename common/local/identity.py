"""The laptop's identity service: what the platform's does, in one folder (LOC-1, LOC-3).

It holds signing keys, publishes their public halves and issues the three kinds of token that this
service reads: access tokens, step-up tokens, and the identity tokens with which Google's services
call. It asks nobody for a password, which is why it exists on the laptop only.

Keys lie in a folder that only its owner reads, one file a key, so that a stack that starts again
goes on with the tokens that it gave out. The highest number signs; all are published, until a
rotation is over.
"""

import json
import os
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from common.domain.dataclass import dataclass
from common.runtime.authentication import AUDIENCE, whole_second
from common.runtime.step_up import MAX_STEP_UP_LIFETIME_SECONDS, STEP_UP_TYPE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from common.runtime.settings import ProcessSettings

    PrivateKey = EllipticCurvePrivateKey | RSAPrivateKey

Algorithm = Literal["ES256", "RS256"]

_ALGORITHMS: tuple[Algorithm, ...] = ("ES256", "RS256")
_KEY_FILE = re.compile(r"(?P<number>[0-9]{4})-(?P<algorithm>es256|rs256)\.pem")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key. Its name is the thumbprint of its public half (RFC 7638)."""

    number: int
    algorithm: Algorithm
    kid: str
    private: "PrivateKey"
    public: Mapping[str, str]


class LocalIdentity:
    """Issues tokens in the name of `issuer`, on the laptop's clock."""

    def __init__(self, folder: Path, *, issuer: str, clock: Callable[[], datetime]) -> None:
        self.issuer = issuer
        self._folder = folder
        self._clock = clock
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._make(max((number for _, number, _ in self._files()), default=1))
        self._keys = self._load()

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Publish the public keys (RFC 7517)."""
        return {
            "keys": [
                {**key.public, "kid": key.kid, "use": "sig", "alg": key.algorithm}
                for key in self._keys
            ]
        }

    def issue_access_token(
        self,
        *,
        sub: str,
        tenant_id: UUID,
        property_ids: Iterable[UUID] = (),
        scopes: Iterable[str] = (),
        auth_strength: Literal["pwd", "mfa", "step_up"] = "pwd",
        lifetime_seconds: int = 3600,
        audience: str = AUDIENCE,
        algorithm: Algorithm = "ES256",
        email: str | None = None,
        email_verified: bool = True,
    ) -> str:
        """Issue the token with which `sub` calls, for the scopes and properties given."""
        claims = self._timed(lifetime_seconds) | {
            "iss": self.issuer,
            "aud": audience,
            "sub": sub,
            "tenantId": str(tenant_id),
            "propertyIds": sorted(map(str, property_ids)),
            "scopes": sorted(scopes),
            "auth_strength": auth_strength,
        }
        if email is not None:
            claims |= {"email": email, "email_verified": email_verified}
        return self.sign(claims, typ="at+jwt", algorithm=algorithm)

    def issue_step_up_token(
        self,
        *,
        sub: str,
        tenant_id: UUID,
        scope: str,
        context: str,
        method: Literal["totp", "webauthn"] = "totp",
        lifetime_seconds: int = MAX_STEP_UP_LIFETIME_SECONDS,
        audience: str = AUDIENCE,
        algorithm: Algorithm = "ES256",
    ) -> str:
        """Issue the confirmation of one deed: of `scope`, on what `context` is the hash of."""
        assertion = sha256(secrets.token_bytes(32)).hexdigest()  # a laptop asks for no real one
        claims = self._timed(lifetime_seconds) | {
            "iss": self.issuer,
            "aud": audience,
            "sub": sub,
            "tenantId": str(tenant_id),
            "scope": scope,
            "ctx": context,
            "jti": secrets.token_urlsafe(18),
            "nonce": secrets.token_urlsafe(18),
            "assertionHash": assertion,
            "method": method,
        }
        return self.sign(claims, typ=STEP_UP_TYPE, algorithm=algorithm)

    def issue_oidc_token(self, *, email: str, audience: str, lifetime_seconds: int = 3600) -> str:
        """Issue what Google's services show when they call: the word for a service account."""
        claims = self._timed(lifetime_seconds) | {
            "iss": self.issuer,
            "aud": audience,
            "azp": email,
            "sub": str(int.from_bytes(sha256(email.encode()).digest()[:8]) + 10**20),
            "email": email,
            "email_verified": True,
        }
        return self.sign(claims, typ="JWT", algorithm="RS256")

    def sign(self, claims: Mapping[str, object], *, typ: str, algorithm: Algorithm) -> str:
        """Sign claims as they are, with the newest key of the algorithm."""
        key = self.signing_key(algorithm)  # one and the same, also while they are being changed
        header = {"alg": algorithm, "kid": key.kid, "typ": typ}
        return _signed(json.dumps(header).encode(), json.dumps(claims).encode(), key)

    def seal(self, header: bytes, payload: bytes, algorithm: Algorithm) -> str:
        """Sign any header and payload whatsoever: a test of locks needs crooked keys, too."""
        return _signed(header, payload, self.signing_key(algorithm))

    def signing_key(self, algorithm: Algorithm) -> SigningKey:
        """Return the key that signs now."""
        return max(
            (key for key in self._keys if key.algorithm == algorithm), key=lambda key: key.number
        )

    def rotate(self) -> None:
        """Sign with new keys from now on; the old ones stay published."""
        self._make(max(key.number for key in self._keys) + 1)
        self._keys = self._load()

    def retire(self) -> None:
        """Throw away all keys but those that sign: what they signed is void."""
        newest = max(key.number for key in self._keys)
        for path, number, _ in self._files():
            if number < newest:
                path.unlink(missing_ok=True)
        self._keys = self._load()

    def _timed(self, lifetime_seconds: int) -> dict[str, object]:
        now = whole_second(self._clock())
        return {"iat": now, "exp": now + lifetime_seconds}

    def _files(self) -> list[tuple[Path, int, Algorithm]]:
        found = []
        for path in sorted(self._folder.iterdir()):
            name = _KEY_FILE.fullmatch(path.name)
            if name is not None:
                algorithm: Algorithm = "ES256" if name["algorithm"] == "es256" else "RS256"
                found.append((path, int(name["number"]), algorithm))
        return found

    def _make(self, number: int) -> None:
        for algorithm in _ALGORITHMS:
            path = self._folder / f"{number:04d}-{algorithm.lower()}.pem"
            if not path.exists():
                _write_once(path, _new_pem(algorithm))

    def _load(self) -> list[SigningKey]:
        return [_read_key(path, number, algorithm) for path, number, algorithm in self._files()]


def _signed(header: bytes, payload: bytes, key: SigningKey) -> str:
    from jwt.algorithms import get_default_algorithms

    signed = _base64url(header) + "." + _base64url(payload)
    private: Any = key.private
    signature = get_default_algorithms()[key.algorithm].sign(signed.encode(), private)
    return signed + "." + _base64url(signature)


def _new_pem(algorithm: Algorithm) -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    private: PrivateKey
    if algorithm == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write_once(path: Path, pem: bytes) -> None:
    """Put a key in place whole, readable by its owner alone; of two that try, the first wins."""
    with NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".new") as draft:  # made with 0600
        draft.write(pem)
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return


def _read_key(path: Path, number: int, algorithm: Algorithm) -> SigningKey:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from jwt.algorithms import ECAlgorithm, RSAAlgorithm

    private: Any = load_pem_private_key(path.read_bytes(), password=None)
    maker = ECAlgorithm if algorithm == "ES256" else RSAAlgorithm
    published = maker.to_jwk(private.public_key(), as_dict=True)
    public = {name: value for name, value in published.items() if name != "key_ops"}
    canonical = json.dumps(public, sort_keys=True, separators=(",", ":")).encode()
    return SigningKey(number, algorithm, _base64url(sha256(canonical).digest()), private, public)


def _base64url(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def push_token(folder: Path, settings: "ProcessSettings", clock: Callable[[], datetime]) -> str:
    """The identity token with which the laptop's broker calls, as Pub/Sub would."""
    identity = LocalIdentity(folder, issuer=settings.token_issuer, clock=clock)
    return identity.issue_oidc_token(email=settings.oidc_account, audience=settings.oidc_audience)
