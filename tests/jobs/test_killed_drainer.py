"""Real drainer processes, killed in the middle of a batch and stopped by their platform."""

import json
import os
import signal
import subprocess
import sys
from typing import IO

import pytest

from common.contracts.shapes import Incoming
from common.ports.transaction import Transaction
from common.runtime.declaration import EventDeclaration
from common.runtime.pushed import Delivery
from tests.architecture.source_tree import ROOT
from tests.jobs.cell import Cell

EVENTS = 30
FOLIOS = 6
Line = tuple[str, int, str]


def process(cell: Cell, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.jobs.piping_drainer", *arguments],
        cwd=ROOT,
        env=os.environ | cell.environment(),
        stdout=subprocess.PIPE,
    )


def read(output: IO[bytes] | None, lines: int = sys.maxsize) -> list[Line]:
    """So many lines of what a drainer published, or all until it ends."""
    assert output is not None
    found: list[Line] = []
    while len(found) < lines:
        line = output.readline().decode().split()
        if not line:
            break
        found.append((line[0], int(line[1]), line[2]))
    return found


def first_arrivals(lines: list[Line]) -> dict[str, list[int]]:
    """The numbers of each aggregate's events, in the order in which they came first."""
    found: dict[str, list[int]] = {}
    for key, sequence, _ in lines:
        numbers = found.setdefault(key, [])
        if sequence not in numbers:
            numbers.append(sequence)
    return found


class Posted(Incoming):
    folio_id: str


def take_note(posted: Posted, tx: Transaction) -> None:
    """Have an effect: the inbox's row, which every consumer has."""


@pytest.mark.req("EVT-4", "EVT-5", "JOB-1")
def test_killed_in_a_batch_twice_every_event_arrives_in_order_with_one_effect(cell: Cell) -> None:
    tenants = [cell.new_tenant() for _ in range(2)]
    for tenant in tenants:
        for folio in range(FOLIOS):
            cell.tell(tenant, f"fol_{folio}", EVENTS)
    came: list[Line] = []

    for messages in (100, 77):
        killed = process(cell, str(messages))
        published = read(killed.stdout, messages)
        os.kill(killed.pid, signal.SIGKILL)
        assert len(published) == messages
        assert killed.wait(30) == -signal.SIGKILL
        assert read(killed.stdout) == []
        assert cell.waiting() > 0
        came += published
        cell.let_leases_run_out()
    last = process(cell, "0")
    came += read(last.stdout)

    assert last.wait(30) == 0
    assert cell.waiting() == 0
    assert first_arrivals(came) == {
        f"{tenant}/fol_{folio}": list(range(1, EVENTS + 1))
        for tenant in tenants
        for folio in range(FOLIOS)
    }
    assert len(came) > 2 * FOLIOS * EVENTS  # some came twice ...
    assert effects(cell, came) == 2 * FOLIOS * EVENTS  # ... and counted once


def effects(cell: Cell, came: list[Line]) -> int:
    """How many of the deliveries had an effect at a consumer."""
    edge = cell.wiring().event_edge
    consumer = EventDeclaration(use_case=take_note, event_type="melmastoon.test.posted.v1")
    taken = 0
    for key, _, event_id in came:
        tenant, folio = key.split("/")
        context = {
            "ce-specversion": "1.0",
            "ce-id": event_id,
            "ce-source": "/billing",
            "ce-type": consumer.event_type,
            "ce-tenantid": tenant,
        }
        taken += edge.deliver(consumer, Delivery(context, json.dumps({"folioId": folio}).encode()))
    return taken


@pytest.mark.req("JOB-1")
def test_stops_at_the_platforms_word_and_leaves_the_leases(cell: Cell) -> None:
    """It watches an empty outbox, publishes what comes, is told to end, and ends with 0."""
    tenant = cell.new_tenant()
    watching = process(cell, "0", "watch")
    cell.tell(tenant, "fol_a", 3)
    published = read(watching.stdout, 3)

    watching.terminate()
    assert watching.wait(30) == 0
    free = "SELECT count(*) FROM billing_central.outbox_leases WHERE leased_until < now()"
    assert [number for _, number, _ in published] == [1, 2, 3]
    assert cell.sql(free) == [[16]]
    assert cell.waiting() == 0
