"""A crowd before one folio: calls that are sure to share a transaction (FOL-5).

Time stands still for the batcher, so that the 51st call of a tenant is one too many in a second
however slow the machine is. The first of the crowd is held up at a folio's row until all the others
wait behind it; then it goes on, and the others go together.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from common.runtime import batching
from tests.hotel import Hotel, charge
from tests.together import meanwhile, until


def crowd_at(hotel: Hotel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let as many charges have come within this very second as make a crowd."""
    monkeypatch.setattr(batching, "time", SimpleNamespace(monotonic=lambda: 0.0))
    path = f"/folios/{hotel.open_folio()}/charges"
    for _ in range(batching.CALLS_PER_SECOND):
        assert hotel.post(path, charge("minibar", 1)).status_code == 201


def call_together(hotel: Hotel, calls: Sequence[Callable[[], TestResponse]]) -> list[TestResponse]:
    """Make calls that go together, behind one that holds them up until all of them wait, in their
    order."""
    folio = hotel.open_folio()
    queues: Any = hotel.house.wiring.batcher._queues
    with hotel.house.session() as session:
        session.run("BEGIN")
        session.run(f"SELECT FROM {hotel.schema}.folios WHERE id = :id FOR UPDATE", id=folio)
        with meanwhile(partial(hotel.post, f"/folios/{folio}/charges", charge("minibar", 1))):
            hotel.house.until_waiting(session)
            (queue,) = (q for (tenant, _), q in queues.items() if tenant == hotel.tenant_id)
            with ExitStack() as line:
                answers = []
                for place, call in enumerate(calls, start=1):
                    answers.append(line.enter_context(meanwhile(call)))
                    until(partial(_are_waiting, queue, place))
                session.run("ROLLBACK")
    return [answer() for answer in answers]


def _are_waiting(queue: Any, count: int) -> bool:
    return len(queue.waiting) == count


def post_together(
    hotel: Hotel, path: str, bodies: Sequence[dict[str, Any]], **more: Any
) -> list[TestResponse]:
    """Post bodies to one path, together."""
    return call_together(hotel, [partial(hotel.post, path, body, **more) for body in bodies])
