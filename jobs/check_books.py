"""Check every tenant's books at night: does each of the invariants hold?

Balances against lines and ledger, numbers without a gap, invoices against their hashes, trails
against their entries, events against the facts that they tell (MON-6, REL-5). What does not hold is
told by a line of the log for each invariant, with how many rows break it, and ends the run with an
error; `billing doctor --tenant` shows the rows. Nothing is ever repaired here: books that repair
themselves hide what broke them.
"""

from collections.abc import Sequence
from uuid import UUID

from common.ports.jobs import FoundWrong, Round
from common.ports.powers import Powers
from common.ports.transaction import Transaction
from common.runtime.declaration import job


def sets_of_books(which: Round, tx: Transaction) -> Sequence[UUID]:
    """A tenant has one set of books."""
    return [tx.actor.tenant_id]


def compare(tenant_id: UUID, powers: Powers) -> None:
    """Ask what does not hold. Raises FoundWrong, DatabaseUnavailable."""
    broken = powers.books.broken(tenant_id)
    if broken:
        raise FoundWrong(broken)


@job(
    schedule="30 2 * * *",
    timeout_seconds=3600,
    find=sets_of_books,
    perform=compare,
    needs=("database", "outbox"),
)
def check_books(tenant_id: UUID, tx: Transaction) -> UUID:
    """Check that a tenant's books keep every invariant; repair nothing."""
    return tenant_id
