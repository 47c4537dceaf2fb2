"""A customer becomes known to the processor: after it was written down, and once (GW-1).

Nobody waits for it. Whoever writes a customer down asks right afterwards, a job asks for what was
left behind, and both ask under our own id and the number of the details that they tell.
"""

from common.domain.customer import Customer
from common.domain.dataclass import dataclass
from common.domain.identifiers import CustomerId
from common.ports.answers import Failed, Unknown
from common.ports.cards import Linked, Person
from common.ports.powers import Powers
from common.ports.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Told:
    """What the processor was told, and what it said."""

    customer_id: CustomerId
    details_version: int
    answer: Linked | Failed | Unknown


def person_of(customer: Customer, tx: Transaction) -> Person:
    """The customer as the processor is told of it."""
    return Person(
        id=customer.id,
        tenant_id=tx.actor.tenant_id,
        email=customer.email,
        name=customer.name,
        phone=customer.phone,
        details_version=customer.details_version,
        processor_customer_id=customer.processor_customer_id,
    )


def to_be_told(customer_id: CustomerId, tx: Transaction) -> Person | None:
    """What the processor is to be told of a customer, if anything."""
    customer = tx.customers.get(customer_id)
    return None if customer.is_told else person_of(customer, tx)


def tell_processor(person: Person, powers: Powers) -> Told:
    """Let the processor make the customer, or tell it what has changed."""
    return Told(person.id, person.details_version, powers.cards.link(person))


def keep_link(told: Told, tx: Transaction) -> None:
    """Keep what the processor said; what it has not answered is told again later."""
    match told.answer:
        case Linked(processor_customer_id):
            _keep(told, processor_customer_id, None, tx)
        case Failed(code):
            _keep(told, None, code, tx)
        case Unknown():
            tx.customers.postpone(told.customer_id)


def _keep(
    told: Told, processor_customer_id: str | None, refused_code: str | None, tx: Transaction
) -> None:
    customer = tx.customers.take(told.customer_id)
    linked = customer.link(told.details_version, processor_customer_id, refused_code)
    if linked is not None:
        tx.customers.keep(customer)
        tx.tell(linked)
