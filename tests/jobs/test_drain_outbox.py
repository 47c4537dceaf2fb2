"""The drainer: nothing is lost, aggregates keep their order, tenants get their share.

Time passes here by an injected clock and by leases that are let run out; nothing waits.
"""

import random
import re
import threading
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from common.ports.jobs import Turn
from common.postgres.drain import (
    BATCH_MAX,
    EVENTS_PER_TENANT,
    READ,
    START,
    TENANTS_PER_SHARD,
    WALK_THE_INDEX,
    _array,
)
from common.postgres.outbox import SHARDS, shard_of
from tests.jobs.cell import Broker, Cell, begin, drain, key_in_shard, step, tell


class Elapsed:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.mark.req("EVT-1", "EVT-4")
def test_publishes_every_event_once_and_in_order(cell: Cell, broker: Broker) -> None:
    kabul, herat = uuid4(), uuid4()
    for tenant in (kabul, herat):
        for folio in ("fol_a", "fol_b", "fol_c"):
            cell.tell(tenant, folio, 120)

    drain(cell.drain(), broker)

    expected = list(range(1, 121))
    assert broker.sequences() == {
        (tenant, folio): expected
        for tenant in (kabul, herat)
        for folio in ("fol_a", "fol_b", "fol_c")
    }
    assert cell.waiting() == 0


@pytest.mark.req("EVT-1")
def test_publishes_cloud_events_in_binary_mode(cell: Cell, broker: Broker) -> None:
    tenant = uuid4()
    cell.tell(tenant, "fol_a", 1)

    drain(cell.drain(), broker)

    (message,) = broker.arrived
    assert message.ordering_key == f"{tenant}/fol_a"
    assert message.data == b'{"folioId":"fol_a"}'
    assert message.attributes == {
        "ce-specversion": "1.0",
        "ce-id": f"evt_{tenant}_fol_a_1",
        "ce-type": "melmastoon.billing.charge.posted.v1",
        "ce-source": f"/billing/{tenant}",
        "ce-subject": "fol_a",
        "ce-time": "2026-03-01T12:00:00+00:00",
        "ce-tenantid": str(tenant),
        "ce-sequence": "1",
        "content-type": "application/json",
    }


@pytest.mark.req("EVT-4")
def test_publishes_what_committed_and_nothing_else(cell: Cell, broker: Broker) -> None:
    """The earlier ids commit last: a reader that remembers how far it came would lose them."""
    tenant = cell.new_tenant()
    slow, undone = cell.writer(tenant), cell.writer(tenant)
    tell(slow, tenant, "fol_slow", 3)
    tell(undone, tenant, "fol_undone", 3)
    cell.tell(tenant, "fol_quick", 3)
    outbox = cell.drain()

    drain(outbox, broker)
    assert broker.sequences() == {(tenant, "fol_quick"): [1, 2, 3]}

    slow.run("COMMIT")
    undone.run("ROLLBACK")
    drain(outbox, broker)
    assert broker.sequences() == {
        (tenant, "fol_quick"): [1, 2, 3],
        (tenant, "fol_slow"): [1, 2, 3],
    }
    slow.close()
    undone.close()


@pytest.mark.req("EVT-4")
def test_loses_nothing_while_many_write_and_two_drain(cell: Cell, broker: Broker) -> None:
    """Five writers roll back two transactions of five; the drainers take half the shards each."""
    tenants = [cell.new_tenant() for _ in range(3)]
    committed: dict[tuple[UUID, str], int] = {}
    writing = threading.Barrier(7)
    written = threading.Event()
    troubles: list[BaseException] = []

    def write(number: int) -> None:
        chance = random.Random(number)
        session = cell.connect("billing_function")
        writing.wait(30)
        for _ in range(60):
            tenant, folio = chance.choice(tenants), f"fol_{number}_{chance.randrange(4)}"
            count, last = chance.randrange(1, 6), committed.get((tenant, folio), 0)
            begin(session, tenant)
            tell(session, tenant, folio, count, first=last + 1)
            if chance.random() < 0.4:
                session.run("ROLLBACK")
            else:
                session.run("COMMIT")
                committed[tenant, folio] = last + count
        session.close()

    def drain_share(task: int) -> None:
        outbox = cell.drain()
        writing.wait(30)
        while not written.is_set() or not step(outbox, broker, Turn(task=task, tasks=2)).idle:
            step(outbox, broker, Turn(task=task, tasks=2))

    def guarded(work: Callable[[int], None], number: int) -> None:
        try:
            work(number)
        except BaseException as trouble:
            troubles.append(trouble)
            writing.abort()
            raise

    writers = [threading.Thread(target=guarded, args=(write, n)) for n in range(5)]
    drainers = [threading.Thread(target=guarded, args=(drain_share, n)) for n in range(2)]
    for thread in (*writers, *drainers):
        thread.start()
    for thread in writers:
        thread.join(60)
    written.set()
    for thread in drainers:
        thread.join(60)

    assert not troubles
    assert broker.sequences() == {key: list(range(1, last + 1)) for key, last in committed.items()}
    assert cell.waiting() == 0


@pytest.mark.req("EVT-4")
def test_leaves_a_failed_key_waiting_and_goes_on_with_the_rest(cell: Cell) -> None:
    tenant, elapsed, broker = uuid4(), Elapsed(), Broker(refuses={"fol_bad"})
    outbox = cell.drain(elapsed=elapsed)
    cell.tell(tenant, "fol_bad", 2 * EVENTS_PER_TENANT)
    same_shard = key_in_shard(shard_of("fol_bad"))
    cell.tell(tenant, same_shard, 3)

    steps = [step(outbox, broker), step(outbox, broker)]

    assert broker.sequences() == {(tenant, same_shard): [1, 2, 3]}
    assert [each.failed for each in steps] == [1, 1]
    offered = broker.offered
    drain(outbox, broker)
    assert broker.offered == offered  # the key rests

    broker.refuses.clear()
    elapsed.seconds += 1
    drain(outbox, broker)
    assert broker.sequences()[tenant, "fol_bad"] == list(range(1, 2 * EVENTS_PER_TENANT + 1))
    assert step(outbox, broker).failed == 0


@pytest.mark.req("EVT-4")
def test_waits_out_a_broker_that_takes_nothing(cell: Cell) -> None:
    tenant, elapsed, broker = uuid4(), Elapsed(), Broker(down=True)
    outbox = cell.drain(elapsed=elapsed)
    for number in range(30):
        cell.tell(tenant, f"fol_{number}", 2)

    assert step(outbox, broker).failed == 1
    offered = broker.offered
    assert step(outbox, broker).idle
    assert broker.offered == offered  # not asked again at once

    broker.down = False
    elapsed.seconds += 10
    drain(outbox, broker)
    assert broker.sequences() == {(tenant, f"fol_{number}"): [1, 2] for number in range(30)}
    assert step(outbox, broker).failed == 0


@pytest.mark.req("EVT-4")
def test_forgets_a_failure_that_somebody_else_has_made_good(cell: Cell) -> None:
    tenant, elapsed, broker = uuid4(), Elapsed(), Broker(refuses={"fol_bad"})
    outbox = cell.drain(elapsed=elapsed)
    cell.tell(tenant, "fol_bad", 1)
    assert step(outbox, broker).failed == 1

    cell.sql("UPDATE billing_central.outbox SET published_at = now()")
    elapsed.seconds += 1
    step(outbox, broker)

    assert step(outbox, broker).failed == 0


@pytest.mark.req("EVT-6")
def test_a_noisy_tenant_does_not_delay_a_quiet_one(cell: Cell, broker: Broker) -> None:
    """20,000 events of one tenant wait in every shard; a quiet one's event leaves with the next."""
    noisy, quiet, outbox = uuid4(), uuid4(), cell.drain()
    for number in range(100):
        cell.tell(noisy, f"fol_{number}", 200)
    step(outbox, broker)
    cell.tell(quiet, "fol_q", 1)

    step(outbox, broker)

    assert broker.sequences()[quiet, "fol_q"] == [1]
    assert len(broker.arrived) <= 2 * BATCH_MAX


@pytest.mark.req("EVT-6")
def test_goes_round_all_tenants_of_a_shard(cell: Cell, broker: Broker) -> None:
    """41 tenants, 4 in a round: all are served within 11 rounds, though each has more to tell."""
    folio, outbox = key_in_shard(3), cell.drain()
    tenants = [uuid4() for _ in range(41)]
    for tenant in tenants:
        cell.tell(tenant, folio, 20 * EVENTS_PER_TENANT)

    for _ in range(11):
        step(outbox, broker)

    served = broker.sequences()
    assert {tenant for tenant, _ in served} == set(tenants)
    assert max(map(len, served.values())) <= 2 * EVENTS_PER_TENANT
    assert TENANTS_PER_SHARD == 4


@pytest.mark.req("EVT-6")
def test_tenants_whose_events_fail_do_not_hide_the_others(cell: Cell) -> None:
    """Nine tenants with events that nobody takes stand before one whose events are fine."""
    bad, good = key_in_shard(5, 0), key_in_shard(5, 1)
    outbox, broker = cell.drain(elapsed=Elapsed()), Broker(refuses={bad})
    for number in range(9):
        cell.tell(UUID(int=number + 1), bad, 1)
    last = UUID(int=99)
    cell.tell(last, good, 1)

    drain(outbox, broker)

    assert broker.sequences() == {(last, good): [1]}


@pytest.mark.req("EVT-4")
def test_a_zombie_publishes_twice_at_most_and_reads_no_further(cell: Cell) -> None:
    """A drainer is stopped between reading and publishing for longer than its lease."""
    tenant, seen_by_zombie, seen_by_next = uuid4(), Broker(), Broker()
    zombie, successor = cell.drain("zombie"), cell.drain("next")
    cell.tell(tenant, "fol_a", 5)

    batch = zombie.take(Turn())
    fences = zombie.held
    cell.let_leases_run_out()
    drain(successor, seen_by_next)
    cell.tell(tenant, "fol_a", 5, first=6)
    stale = zombie.settle(batch, [None] * 5)
    assert step(zombie, seen_by_zombie).done == 0
    drain(successor, seen_by_next)

    assert stale.done == 5
    assert seen_by_zombie.arrived == []
    assert seen_by_next.sequences() == {(tenant, "fol_a"): list(range(1, 11))}
    assert all(successor.held[shard] > fence for shard, fence in fences.items())


@pytest.mark.req("EVT-4")
def test_one_drainer_works_on_a_shard(cell: Cell, broker: Broker) -> None:
    first, second = cell.drain(), cell.drain()
    first.take(Turn())
    cell.tell(uuid4(), "fol_a", 1)

    assert second.take(Turn()).events == ()
    first.give_back()
    assert len(second.take(Turn()).events) == 1


@pytest.mark.req("JOB-1")
def test_tasks_share_the_shards(cell: Cell) -> None:
    drains = [cell.drain() for _ in range(3)]
    for task, outbox in enumerate(drains):
        outbox.take(Turn(task=task, tasks=3))

    held = [shard for outbox in drains for shard in outbox.held]
    assert sorted(held) == list(range(SHARDS))


@pytest.mark.req("EVT-4", "JOB-1")
def test_hands_over_when_its_turn_is_over(cell: Cell, broker: Broker) -> None:
    """It works on until somebody else has the leases, and not a step longer."""
    first, second, tenant = cell.drain(), cell.drain(), uuid4()
    over = Turn(is_over=True)
    step(first, broker)
    step(second, broker)
    cell.tell(tenant, "fol_a", 1)
    assert step(first, broker, over).done == 1  # nobody else is there yet
    assert not step(first, broker, over).finished

    cell.tell(tenant, "fol_a", 1, first=2)
    assert step(second, broker).done == 1
    assert step(first, broker, over).finished
    assert broker.sequences() == {(tenant, "fol_a"): [1, 2]}


@pytest.mark.req("EVT-6")
def test_reads_through_the_index_of_waiting_events(cell: Cell) -> None:
    """Among 60,000 published events the few that wait are found without reading the others.

    And without sorting what waits, which would be a million rows after an outage, for every tenant.
    """
    for number in range(30):
        cell.tell(UUID(int=number % 7 + 1), f"fol_{number}", 2000)
    cell.sql("UPDATE billing_central.outbox SET published_at = now()")
    cell.tell(UUID(int=9), "fol_new", 10)
    cell.sql("VACUUM ANALYZE billing_central.outbox")
    cell.drain("reader").take(Turn())
    session = cell.connect("billing_job")
    session.run("BEGIN")
    session.run(WALK_THE_INDEX)
    literals = (
        "'reader'",
        f"'{_array(list(range(SHARDS)))}'",
        f"'{_array([START] * SHARDS)}'",
        str(TENANTS_PER_SHARD),
        str(EVENTS_PER_TENANT),
        "'{}'",
    )
    sql = READ
    for number, literal in enumerate(literals, start=1):
        sql = sql.replace(f"${number}", literal)

    plan = "\n".join(row[0] for row in session.run(f"EXPLAIN (ANALYZE, BUFFERS) {sql}") or [])
    session.close()

    assert plan.count("using outbox_waiting") == 3, plan
    assert plan.count("Sort Key") == 1, plan  # of the batch, in the end
    pages = sum(map(int, re.findall(r"(?:hit|read)=(\d+)", plan.split("->", 1)[0])))
    assert pages < 300, plan  # the table has thousands


@pytest.mark.req("EVT-4")
def test_only_the_job_may_drain(cell: Cell) -> None:
    """The functions' login sees no event, and a tenant's role cannot mark one as published."""
    tenant = cell.new_tenant()
    cell.tell(tenant, "fol_a", 1)
    session = cell.writer(tenant)

    with pytest.raises(Exception, match="permission denied"):
        session.run("UPDATE billing_central.outbox SET published_at = now()")
    session.close()
    assert cell.waiting() == 1
