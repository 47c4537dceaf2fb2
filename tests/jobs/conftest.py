"""What tests of jobs stand on: a cell of their own, a busy day, another processor."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from common.local.database import LocalDatabase
from common.wiring import Wiring
from tests.hotel import Hotel
from tests.jobs.cell import Broker, Cell
from tests.reconciling import OVER, BusyDay, Clock, Processor


@pytest.fixture
def cell(server: LocalDatabase, tmp_path: Path) -> Iterator[Cell]:
    built = Cell.build(server, tmp_path)
    yield built
    built.close()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def operators(hotel: Hotel) -> Iterator[Wiring]:
    """The wiring of an operator of the hotel's cell: the job's login."""
    settings = hotel.house.wiring.settings
    databases = {"main": hotel.house.server.dsn("billing_job", "billing")}
    wiring = Wiring(replace(settings, databases=databases))
    yield wiring
    wiring.close()


@pytest.fixture
def day(hotel: Hotel, clock: Clock) -> BusyDay:
    """A busy day that is over; nothing is wrong with it."""
    lived = BusyDay.lived(hotel, clock)
    clock(OVER)
    return lived


@pytest.fixture
def at(hotel: Hotel) -> Iterator[Callable[[Processor], Hotel]]:
    """The hotel at an instance that has this processor."""
    begun: list[Hotel] = []

    def beside(processor: Processor) -> Hotel:
        house = hotel.house.beside(powers={"gateway": processor})
        begun.append(Hotel(house, hotel.tenant_id, hotel.property_id))
        return begun[-1]

    yield beside
    for each in begun:
        each.house.close()
