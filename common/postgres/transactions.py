"""Where transactions come from: the tenant's cell, a connection of its pool, a session on it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from common.ports.clock import Clock
from common.ports.transactions import Allowance, Caller, Opening, StoredAnswer
from common.postgres.pool import Pool
from common.postgres.schemas import schema_of
from common.postgres.session import Session
from common.postgres.settings_cache import SettingsCache
from common.postgres.tenant_command import PostgresCommand


class OpenedTransaction:
    """A transaction that has begun, and the commands in it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def now(self) -> datetime:
        return self._session.now

    @property
    def answers(self) -> dict[bytes, StoredAnswer]:
        return self._session.answers

    @property
    def busy(self) -> frozenset[bytes]:
        return self._session.busy

    @property
    def used(self) -> frozenset[str]:
        return self._session.used

    @property
    def allowances(self) -> tuple[Allowance, ...]:
        return self._session.allowances

    def command(self, caller: Caller) -> PostgresCommand:
        """Begin a command; its writes are its own until it is finished."""
        return PostgresCommand(self._session, caller)

    def commit(self) -> None:
        """Write what the finished commands have collected, and commit."""
        self._session.commit()


class PostgresTransactions:
    """Transactions on the cell that the tenant lives in."""

    def __init__(self, pool_of: Callable[[UUID], Pool], clock: Clock) -> None:
        self._pool_of = pool_of
        self._clock = clock
        self._settings = SettingsCache()

    @contextmanager
    def open(self, opening: Opening) -> Iterator[OpenedTransaction]:
        """Begin a transaction; without a commit it is rolled back on the way out."""
        pool = self._pool_of(opening.tenant_id)
        with pool.connection(schema_of(opening.tenant_id)) as connection:
            session = Session(connection, opening, settings_cache=self._settings)
            try:
                session.begin(self._clock)
                yield OpenedTransaction(session)
            finally:
                session.rollback()
