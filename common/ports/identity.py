"""Who acts, and what a second factor has just confirmed: identity, as use cases read it.

A use case never sees a token. It sees the `Actor` whose access token was verified at the edge and,
where the rules of the house want a second pair of eyes, the `StepUp` by which that actor confirmed
one particular deed. Rights are scopes, never role names (SEC-2): a role is what a hotel calls a
person, a scope is what that person may do here.
"""

from dataclasses import field
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from common.domain.dataclass import dataclass

VERIFIED_ACCOUNT: Final = "account.verified"
"""A scope that nobody is given: those hold it whose token says that the identity service has
verified their e-mail address. What asks for it is open to every such account, of whatever role."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The caller of one request, as the identity service vouches for them.

    `auth_strength` is `pwd`, `mfa` or `step_up`. `sub` is opaque: at most 255 printable ASCII
    characters, compared as they are. `email` is there where the identity service has verified it;
    it is personal, and never logged or told.
    """

    sub: str
    tenant_id: UUID
    property_ids: frozenset[UUID]
    scopes: frozenset[str]
    auth_strength: str
    email: str | None = field(default=None, repr=False)

    def may(self, scope: str) -> bool:
        """Say whether the actor was given exactly this scope; no scope implies another."""
        return scope in self.scopes

    def holds(self, property_id: UUID) -> bool:
        """Say whether the actor works at this property."""
        return property_id in self.property_ids


@dataclass(frozen=True, slots=True)
class StepUp:
    """One fresh confirmation by one actor, of one deed, with a second factor.

    It counts once: the transaction that uses it stores (`issuer`, `token_id`) under a unique
    constraint. `context` is the SHA-256, in hex, of what is approved; `method` is `totp` or
    `webauthn`; `assertion_hash` points at the proof that the identity service keeps.
    """

    token_id: str
    issuer: str
    actor: str
    scope: str
    nonce: str
    context: str
    assertion_hash: str
    method: str
    expires_at: datetime


class VerificationKey(Protocol):
    """A public key of an issuer. Its own type decides the one algorithm that it verifies."""

    @property
    def kid(self) -> str:
        """The name under which tokens refer to the key."""
        ...

    @property
    def algorithm(self) -> str:
        """`RS256` for an RSA key, `ES256` for a key on P-256."""
        ...

    def payload_of(self, token: str) -> bytes | None:
        """Return what the token says when this key signed it, otherwise None."""
        ...


class KeySource(Protocol):
    """Where the keys of one issuer come from."""

    def key(self, kid: str) -> VerificationKey | None:
        """Return the key of that name, or None when the issuer has none."""
        ...
