"""One request in ten is poisoned inside the driver, and nobody sees a foreign byte (TEN-2b).

An exception between question and answer leaves pg8000 one reply behind: its next question, of
another tenant, is answered with this tenant's rows, by a database that did everything right. So the
connection is thrown away, and each transaction asks for its nonce first.
"""

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from common.ports.transactions import DatabaseUnavailable, Opening, TryAgain
from common.postgres import connection as driver
from common.postgres.connection import Connection, ConnectionLost, ForeignReply, Statement
from common.postgres.directory import Directory
from common.postgres.pool import Pool
from tests.hotel import Hotel, House
from tests.postgres.instances import at

pytestmark = pytest.mark.req("TEN-2b", "TEN-2")

REQUESTS = 2_000
TENANTS = 8
THREADS = 6


class Poison:
    """Raises once inside the driver, in the thread that took it, where the dose says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._mine = threading.local()
        for place in ("_text", "_decode"):
            monkeypatch.setattr(driver, place, self._poisoned(place, getattr(driver, place)))

    def take(self, place: str, error: BaseException, after: int) -> None:
        """Raise at the place, when it has been passed so many times."""
        self._mine.dose = [place, error, after]

    @property
    def worked(self) -> bool:
        """Whether the dose that this thread took has raised."""
        return getattr(self._mine, "dose", None) is None

    def _poisoned(self, place: str, honest: Callable[..., Any]) -> Callable[..., Any]:
        def poisoned(*given: Any) -> Any:
            dose = getattr(self._mine, "dose", None)
            if dose is not None and dose[0] == place:
                dose[2] -= 1
                if dose[2] < 0:
                    self._mine.dose = None
                    raise dose[1]
            return honest(*given)

        return poisoned


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Poison:
    return Poison(monkeypatch)


@pytest.fixture
def instance(house: House) -> Iterator[House]:
    """An instance with fewer connections than threads, so that connections change hands."""
    built = house.beside(pool_size=THREADS - 2)
    yield built
    built.close()


DOSES: list[tuple[str, Callable[[], BaseException]]] = [
    ("_text", lambda: UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")),
    ("_text", lambda: RuntimeError("a value without a text")),
    ("_decode", lambda: ValueError("a value that cannot be read")),
    ("_decode", lambda: RuntimeError("a converter that raises")),
    ("_decode", lambda: KeyboardInterrupt("a thread that is interrupted")),
]


def test_2000_requests_one_in_ten_poisoned_show_no_foreign_byte(
    house: House, instance: House, poison: Poison
) -> None:
    hotels = [house.new_hotel() for _ in range(TENANTS)]
    folios = {}
    for number, hotel in enumerate(hotels):
        guest = {"name": f"Guest of hotel {number}", "addressLines": [f"secret-{number}"]}
        folios[number] = hotel.open_folio(guest=guest)
    tokens = [hotel.token() for hotel in hotels]
    dice = random.Random(7)
    plan = [
        (dice.randrange(TENANTS), dice.choice(DOSES) if turn % 10 == 0 else None, dice.randrange(2))
        for turn in range(REQUESTS)
    ]
    pool = instance.wiring.pools["main"]
    before = pool.discarded

    def ask(step: tuple[int, tuple[str, Callable[[], BaseException]] | None, int]) -> str:
        number, dose, after = step
        if dose is not None:
            poison.take(dose[0], dose[1](), after)
        try:
            answer = at(instance, hotels[number]).get(
                f"/folios/{folios[number]}", token=tokens[number]
            )
        except KeyboardInterrupt:
            return "interrupted"
        foreign = [
            other
            for other in range(TENANTS)
            if other != number
            and (f"secret-{other}" in answer.text or folios[other] in answer.text)
        ]
        assert not foreign, (number, foreign)
        own = answer.status_code == 200 and f"Guest of hotel {number}" in answer.text
        return "own" if own else f"{answer.status_code}"

    with ThreadPoolExecutor(THREADS) as threads:
        came = list(threads.map(ask, plan))

    good = [outcome for outcome, (_, dose, _) in zip(came, plan, strict=True) if dose is None]
    assert good == ["own"] * (REQUESTS - REQUESTS // 10)
    assert pool.discarded - before == REQUESTS // 10
    assert set(came) == {"own", "500", "interrupted"}


def test_a_lone_surrogate_that_reaches_the_driver_is_the_callers_own_trouble(
    hotel: Hotel, instance: House
) -> None:
    """The edge lets none through; a fault in it must not become a fault of the next request."""
    folio = hotel.open_folio()
    pool = instance.wiring.pools["main"]
    with pool.connection() as connection, pytest.raises(UnicodeEncodeError):
        connection.run([Statement("SELECT $1::text", ("\ud800",))])

    assert at(instance, hotel).get(f"/folios/{folio}").json["folioId"] == folio
    assert pool.discarded == 1


@contextmanager
def nobody_reading() -> Iterator[None]:
    """A driver as it would be without its guards: questions are sent, answers are left behind."""

    def send(self: Connection, statements: list[Statement], *, scope: str = "") -> None:
        message, _ = self._compose(statements, scope)
        self._session._sock.write(bytes(message))
        self._session._sock.flush()
        raise ConnectionLost("nobody reads the answer")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Connection, "run", send)
        yield


@pytest.mark.parametrize("replies_behind", [1, 2])
def test_a_connection_that_is_out_of_step_is_found_out_by_its_nonce(
    house: House, instance: House, replies_behind: int
) -> None:
    """Somebody else's answer has the same shape, so that nothing but the nonce tells it apart."""
    mine, others = (
        Opening(tenant_id=hotel.tenant_id, reads_only=True)
        for hotel in (house.new_hotel(), house.new_hotel())
    )
    transactions, pool = instance.wiring.transactions, instance.wiring.pools["main"]
    with transactions.open(mine):
        pass
    [connection] = pool._idle
    for _ in range(replies_behind):
        with nobody_reading(), pytest.raises(TryAgain), transactions.open(others):
            pytest.fail("its answer was read")

    with pytest.raises(ForeignReply), transactions.open(mine):
        pytest.fail("somebody else's transaction was entered")

    assert (connection.broken, pool.discarded, pool._idle) == (True, 1, [])


@pytest.mark.req("TEN-5")
def test_a_directory_that_is_out_of_step_sends_no_tenant_to_anothers_cell(
    house: House, instance: House
) -> None:
    mine, other = house.new_hotel().tenant_id, house.new_hotel().tenant_id
    pool = instance.wiring.pools["main"]
    cells = {"main": pool, "far": pool}
    Directory(cells).pool_of(mine)
    [connection] = pool._idle
    with nobody_reading(), pytest.raises(DatabaseUnavailable):
        Directory(cells).pool_of(other)

    with pytest.raises(ForeignReply):
        Directory(cells).pool_of(mine)

    assert (connection.broken, pool.discarded) == (True, 1)


def test_a_pool_gives_no_broken_connection_to_the_next(instance: House) -> None:
    pool: Pool = instance.wiring.pools["main"]
    for turn in range(3):
        with pool.connection() as connection:
            assert connection.run([Statement("SELECT $1::int", (turn,))]) == [[[turn]]]
            connection.broken = True

    assert pool.discarded == 3
    assert pool._idle == []
