"""Opening closed folios again in tests: whoever does it confirms exactly that.

reopened(hotel, folio)
answer = closes(hotel, folio)
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from werkzeug.test import TestResponse

from tests.hotel import Hotel
from tests.till import signed

SCOPE = "billing.folio.reopen"


def context(hotel: Hotel, folio: str) -> str:
    """What is confirmed by whoever opens this folio again."""
    return signed(deed="folio.reopen", tenant=str(hotel.tenant_id), folio=folio)


def wanted(hotel: Hotel, folio: str, by: str, **more: Any) -> dict[str, Any]:
    """What is asked for, with its confirmation."""
    confirmed = hotel.confirmation(by, SCOPE, context(hotel, folio))
    return {"reason": "The minibar was forgotten", "stepUpToken": confirmed, **more}


def reopens(hotel: Hotel, folio: str, by: str = "", **more: Any) -> TestResponse:
    """Open a folio again, each time as another manager."""
    by = by or f"manager-{uuid4()}"
    body = wanted(hotel, folio, by, **more)
    return hotel.post(f"/folios/{folio}/reopen", body, token=hotel.token(sub=by))


def reopening(hotel: Hotel, folio: str, by: str) -> Callable[[Hotel], TestResponse]:
    """The same request with the same key and confirmation, at whatever instance is asked."""
    body, token, key = wanted(hotel, folio, by), hotel.token(sub=by), f"key-{uuid4()}"
    return lambda at: at.post(f"/folios/{folio}/reopen", body, token=token, key=key)


def reopened(hotel: Hotel, folio: str, **more: Any) -> None:
    """A closed folio is open again."""
    answer = reopens(hotel, folio, **more)
    assert answer.status_code == 200, answer.text


def closes(hotel: Hotel, folio: str) -> Any:
    """Close a folio, and answer what it came to."""
    answer = hotel.post(f"/folios/{folio}/close")
    assert answer.status_code == 200, answer.text
    return answer.json


def voids(hotel: Hotel, folio: str, charge: str) -> TestResponse:
    """Void a charge."""
    return hotel.post(f"/folios/{folio}/charges/{charge}/void", {"reason": "Wrong guest"})
