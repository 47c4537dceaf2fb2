"""What makes a command the same command when it comes again (API-4, API-9).

The client's key is scoped to tenant, actor and function, and the id that a client gives to what it
creates to tenant and function: nobody can claim another's. The fingerprint is of the request in
canonical JSON, so that another spelling of the same request is the same request.
"""

import hashlib
from typing import Any

from common.domain.canonical import canonical
from common.ports.identity import Actor
from common.ports.transactions import IdConflict, Key
from common.runtime.declaration import HttpDeclaration
from common.runtime.problems import RequestInvalid


def keys_of(
    declaration: HttpDeclaration, actor: Actor, key: str | None, document: dict[str, Any]
) -> tuple[Key, ...]:
    """The keys of a command: the id that the client gave to what it creates, and its own key."""
    if not declaration.changes_state:
        return ()
    fingerprint = _sha256(declaration.name, _canonical_text(document))
    keys = []
    if key is not None:
        name = _sha256(str(actor.tenant_id), "key", actor.sub, declaration.name, key)
        keys.append(Key(name, declaration.name, fingerprint))
    if declaration.creates and isinstance(document.get("id"), str):
        name = _sha256(str(actor.tenant_id), "id", declaration.name, document["id"])
        keys.append(Key(name, declaration.name, fingerprint, IdConflict))
    return tuple(keys)


def _canonical_text(document: dict[str, Any]) -> str:
    """A request in one spelling, so that the same request has the same fingerprint."""
    try:
        return canonical(document).decode()
    except (TypeError, ValueError):
        raise RequestInvalid("A number is not a whole one within +-(2^53 - 1).") from None


def _sha256(*parts: str) -> bytes:
    return hashlib.sha256("\x1f".join(parts).encode()).digest()
