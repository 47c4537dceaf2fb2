"""One laptop's stack for all drills, whose schedules stand still, and a hotel for each."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pg8000.exceptions import InterfaceError
from werkzeug.test import Client

import common.runtime.logging
from common.local.identity import LocalIdentity
from common.local.stack import Stack, running_stack
from tests.drills.drill import Drill, DrillOf
from tests.drills.pages import Page
from tests.hotel import House
from tests.lending import lent
from tests.scenarios.laptop import free_port


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Not in pytest's own folder, which PostgreSQL's user may not enter."""
    with (
        tempfile.TemporaryDirectory(prefix="billing-drills-") as folder,
        running_stack(Path(folder), free_port(), schedules=False) as running,
    ):
        yield running


@pytest.fixture(scope="session")
def people(stack: Stack) -> Iterator[House]:
    """Whoever calls the stack, and looks into its database as nobody may in earnest."""
    functions = stack.functions
    identity = LocalIdentity(
        stack.folder / "identity", issuer=functions.settings.token_issuer, clock=functions.clock.now
    )
    house = House(stack.database, functions, identity, Client(stack.gateway))
    yield house
    if house._admin is not None:
        with suppress(InterfaceError):
            house._admin.close()


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Every line that the service writes to its log meanwhile."""
    lines: list[dict[str, Any]] = []
    write = common.runtime.logging._write

    def keep(line: str) -> None:
        lines.append(json.loads(line))
        write(line)

    monkeypatch.setattr(common.runtime.logging, "_write", keep)
    return lines


@pytest.fixture
def drill_of(stack: Stack, people: House, logged: list[dict[str, Any]]) -> Iterator[DrillOf]:
    """Begins the drill of a page, in a hotel where nothing has happened.

    What a drill that went wrong has left is no trouble of the next one's.
    """
    with lent(people) as hotel:
        yield lambda page: Drill(Page.of(page), stack, people, hotel, logged)
    shutil.rmtree(stack.folder / "documents" / hotel.tenant_id.hex, ignore_errors=True)
    stack.functions.sandbox_outage.end()
    people.sql("SET default_transaction_read_only = off")
    people.sql("ALTER DATABASE billing RESET ALL")
    people.sql("DELETE FROM billing_central.dead_letters")
