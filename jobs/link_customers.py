"""Tell the processor of the customers that it does not know, or not as they are.

Whoever writes a customer down tells the processor within a second; this is for what was left
behind. What has no answer is told again, after a pause that grows (GW-1).
"""

from collections.abc import Sequence

from common.domain.identifiers import CustomerId
from common.ports.cards import Person
from common.ports.jobs import Round
from common.ports.transaction import Transaction
from common.procedures.linking_customers import keep_link, tell_processor, to_be_told
from common.runtime.declaration import job


def waiting(which: Round, tx: Transaction) -> Sequence[CustomerId]:
    """The customers of a tenant that are due, the longest waiting first."""
    return tx.customers.due(which.limit)


def put_off(customer_id: CustomerId, why: str, tx: Transaction) -> None:
    """Let a customer wait whose link could not be kept."""
    tx.customers.postpone(customer_id)


@job(
    schedule="*/5 * * * *",
    find=waiting,
    perform=tell_processor,
    record=keep_link,
    put_off=put_off,
    needs=("database", "gateway"),
)
def link_customers(customer_id: CustomerId, tx: Transaction) -> Person | None:
    """Tell the processor of a customer."""
    return to_be_told(customer_id, tx)
