"""Cash for the attacks: for each function that asks for some, a till in the state that it needs.

What is made here stands before the books are looked at: an attack on one function must not depend
on what another one was let do.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import jwt

from common.domain.refusal import Refusal
from common.ports.identity import Actor
from common.runtime.declaration import HttpDeclaration
from common.runtime.exchange import camel
from common.runtime.parsing import merged, read
from tests.hotel import Hotel, new_id, usd
from tests.till import Till, by_pieces, new_drawer

STEP_UP = "stepUpToken"
PARAMETER = re.compile(r"\{(\w+)\}")
COUNT = [by_pieces("USD", (2_000, 4), (500, 3))]
WAITS = "UPDATE {s}.cash_sessions SET pending_since = pending_since - interval '7 hours'"


@dataclass(frozen=True)
class Tills:
    """Drawers that nothing runs at, and tills, by the function that is called on each."""

    drawers: dict[str, str]
    by_function: dict[str, Till]

    @classmethod
    def of(cls, hotel: Hotel) -> Self:
        tills = {name: Till.opened(hotel, usd(10_000)) for name in PREPARED}
        for name, prepare in PREPARED.items():
            prepare(tills[name])
        return cls({name: new_drawer(hotel) for name in ON_A_DRAWER}, tills)

    def session(self, function: str) -> str:
        """The session that a function is called on."""
        known = self.by_function.get(function)
        return (known or self.by_function["show_session"]).session


def _waits(till: Till) -> None:
    assert till.initiate(count=COUNT).status_code == 200


def _is_stuck(till: Till) -> None:
    _waits(till)
    till.hotel.rows(f"{WAITS} WHERE id = :id", id=till.session)


def _is_short(till: Till) -> None:
    _waits(till)
    assert till.close(count=COUNT).status_code == 200


ON_A_DRAWER = ("change_drawer", "open_session")
PREPARED: dict[str, Callable[[Till], None]] = {
    "show_session": lambda till: None,
    "post_movement": lambda till: None,
    "initiate_close": lambda till: None,
    "close_session": _waits,
    "return_to_open": _waits,
    "recount_stuck_session": _is_stuck,
    "acknowledge_discrepancy": _is_short,
}
BODIES: dict[str, Callable[[Hotel], dict[str, Any]]] = {
    "create_drawer": lambda hotel: {
        "id": new_id("cdr"),
        "propertyId": str(hotel.property_id),
        "name": "Bar",
    },
    "change_drawer": lambda hotel: {"name": "Lobby", "active": False, "reason": "Being repaired"},
    "open_session": lambda hotel: {"id": new_id("cds"), "opening": COUNT},
    "post_movement": lambda hotel: {
        "id": new_id("cmv"),
        "kind": "paid_out",
        "amount": usd(700),
        "reason": "Taxi for a guest",
    },
    "initiate_close": lambda hotel: {"countNumber": 1, "count": COUNT},
    "close_session": lambda hotel: {"closedBy": "karim", "countNumber": 1, "count": COUNT},
    "return_to_open": lambda hotel: {"countNumber": 1, "reason": "The coins are missing"},
    "recount_stuck_session": lambda hotel: {"countNumber": 2, "count": COUNT},
    "acknowledge_discrepancy": lambda hotel: {"explanation": "A note was torn"},
    "resolve_reconciliation": lambda hotel: {"reason": "It was paid back by hand"},
}
QUERIES: dict[str, Callable[[Hotel], dict[str, str]]] = {
    "list_drawers": lambda hotel: {
        "propertyId": str(hotel.property_id),
        "state": "active",
        "limit": "50",
        "cursor": "IiI",
    },
    "list_sessions": lambda hotel: {
        "propertyId": str(hotel.property_id),
        "cashDrawerId": new_id("cdr"),
        "status": "open",
        "businessDate": "2026-03-01",
        "limit": "50",
        "cursor": "IiI",
    },
    "list_reconciliations": lambda hotel: {
        "propertyId": str(hotel.property_id),
        "status": "mismatch",
        "businessDate": "2026-03-01",
        "limit": "50",
        "cursor": "IiI",
    },
}


def confirmed(
    declaration: HttpDeclaration, hotel: Hotel, body: Any, path: str, query: Any, token: str
) -> Any:
    """The body with the confirmation of who calls, where one is asked for and can be given."""
    if not (declaration.step_up and isinstance(body, dict)) or STEP_UP in body or not token:
        return body
    claims = jwt.decode(token, options={"verify_signature": False})
    actor = Actor(claims["sub"], UUID(claims["tenantId"]), frozenset(), frozenset(), "pwd")
    found = re.fullmatch(PARAMETER.sub(r"(?P<\1>[^/]+)", declaration.full_path), path)
    named = {camel(name): value for name, value in found.groupdict().items()} if found else {}
    switches = query if isinstance(query, dict) else {}
    named |= {name: value == "true" for name, value in switches.items()}
    assert declaration.context is not None
    assert declaration.scope is not None
    try:
        asked = read(declaration.request, merged(named, body))
        context = declaration.context(asked, actor)
    except Refusal:
        return body
    confirmation = hotel.confirmation(
        actor.sub, declaration.scope, context, tenant_id=actor.tenant_id
    )
    return {**body, STEP_UP: confirmation}
