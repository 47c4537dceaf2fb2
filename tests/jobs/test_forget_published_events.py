"""What everybody was told 30 days ago goes, and nothing that somebody still has to be told (AUD-3).

Times are the database's own: events are dated back by its administrator.
"""

import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import pg8000.exceptions
import pytest

from common.runtime.declaration import declaration_of
from common.runtime.job import Orders, Progress
from common.wiring import Wiring
from jobs import forget_published_events
from tests.hotel import Hotel
from tests.jobs.cell import Broker, Cell, drain
from tests.proofs import broken
from tests.together import at_once

Clock = Callable[[str], None]
pytestmark = pytest.mark.req("AUD-3", "JOB-1")
PUBLISHED = """
UPDATE billing_central.outbox
SET published_at = now() - CAST(:age AS interval)
WHERE tenant_id = :tenant AND sequence BETWEEN :first AND :last
"""
LEFT = """
SELECT sequence FROM billing_central.outbox WHERE tenant_id = :tenant ORDER BY ordering_key, id
"""
COUNTED = """
INSERT INTO billing_central.rate_counters (bucket, window_start, used)
SELECT concat('bucket ', n), now() - n * interval '13 hours', 1 FROM generate_series(0, 6) AS n
"""


def forget(wiring: Wiring) -> Progress:
    """Run the job."""
    return wiring.job_shell.run(
        declaration_of(forget_published_events.forget_published_events),  # type: ignore[arg-type] # a job's declaration
        Orders(),
        stop=threading.Event(),
        tell=lambda _: None,
    )


def published(cell: Cell, tenant: UUID, first: int, last: int, age: str) -> None:
    """Events of a tenant were published so long ago."""
    cell.sql(PUBLISHED, tenant=tenant, first=first, last=last, age=age)


def left(cell: Cell, tenant: UUID) -> list[int]:
    return [row[0] for row in cell.sql(LEFT, tenant=tenant)]


@pytest.mark.req("EVT-4")
def test_what_was_published_30_days_ago_goes_and_what_waits_never(cell: Cell) -> None:
    """Of eight events three are old. The seventh is as old, and stays, as the sixth of the same
    folio, which somebody marked later, has to: a trail is never held against events with a hole.
    The fifth is half an hour too young, and the eighth waits since the day it was told."""
    tenant = uuid4()
    cell.tell(tenant, "fol_a", 8)
    published(cell, tenant, 1, 3, "31 days")
    published(cell, tenant, 4, 4, "30 days 1 minute")
    published(cell, tenant, 5, 5, "29 days 23 hours 30 minutes")
    published(cell, tenant, 6, 6, "29 days")
    published(cell, tenant, 7, 7, "31 days")

    done = forget(cell.wiring())

    assert (done.done, done.exit_code, done.outcome) == (4, 0, "handed_over")
    assert left(cell, tenant) == [5, 6, 7, 8]
    broker = Broker()
    drain(cell.drain(), broker)
    assert broker.sequences() == {(tenant, "fol_a"): [8]}
    assert forget(cell.wiring()).done == 0


@pytest.mark.req("EVT-4")
def test_the_database_lets_nobody_delete_what_has_not_had_its_time(cell: Cell) -> None:
    """Not even the drainer's role, which may delete: one waits, one is young, one is old."""
    tenant = uuid4()
    cell.tell(tenant, "fol_a", 3)
    published(cell, tenant, 1, 1, "31 days")
    published(cell, tenant, 2, 2, "1 day")
    session = cell.connect("billing_job")

    session.run("DELETE FROM billing_central.outbox")

    session.close()
    assert left(cell, tenant) == [2, 3]
    function = cell.writer(cell.new_tenant())
    with pytest.raises(pg8000.exceptions.DatabaseError):
        function.run("DELETE FROM billing_central.outbox")
    function.close()


def test_two_runs_share_what_is_old_and_counters_go_with_it(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seven events of two hotels and the counters of more than two days ago (the last three of
    seven, at 52, 65 and 78 hours) go by twos, each once. What counts now counts on."""
    monkeypatch.setattr(forget_published_events, "BATCH", 2)
    one, other = uuid4(), uuid4()
    cell.tell(one, "fol_a", 4)
    cell.tell(other, "fol_b", 4)
    published(cell, one, 1, 4, "31 days")
    published(cell, other, 1, 3, "40 days")
    cell.sql(COUNTED)
    first, second = cell.wiring(), cell.wiring()

    done = at_once([lambda: forget(first), lambda: forget(second)])

    assert [each.exit_code for each in done] == [0, 0]
    assert sum(each.done for each in done) + forget(first).done == 10
    assert (left(cell, one), left(cell, other)) == ([], [4])
    windows = cell.sql("SELECT count(*) FROM billing_central.rate_counters")
    assert windows == [[4]]


def test_books_stay_right_when_old_events_are_gone(
    hotel: Hotel, clock: Clock, operators: Wiring
) -> None:
    """Two folios' events are old but for the last one of each: the trail is longer than they are,
    and that is no difference."""
    clock("2026-03-01T10:00:00Z")
    for _ in range(2):
        hotel.charged(hotel.open_folio())
    hotel.house.sql(
        "UPDATE billing_central.outbox SET published_at = now() - interval '31 days'"
        " WHERE tenant_id = :tenant AND sequence = 1",
        tenant=hotel.tenant_id,
    )

    assert forget(operators).done >= 2

    assert not broken(hotel)
