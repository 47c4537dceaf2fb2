"""Write a customer down, once for each e-mail address; the processor is told right afterwards.

The answer says `pending` whatever the processor says: it is that of the command, and a retry is
answered the same. Whoever wants to know reads the customer.
"""

from common.contracts.customers import CustomerView, EmailAddress, Phone
from common.contracts.fields import Name
from common.contracts.references import CustomerRef
from common.contracts.shapes import Request
from common.domain.customer import Customer, CustomerEmailTaken, EmailInvalid
from common.domain.identifiers import CustomerId
from common.ports.cards import Person
from common.ports.transaction import Transaction
from common.procedures.linking_customers import keep_link, tell_processor, to_be_told
from common.runtime.declaration import Errand, RateLimit, http_function


class CreateCustomer(Request):
    """Who it is."""

    id: CustomerRef | None = None
    email: EmailAddress
    name: Name
    phone: Phone | None = None


def always(_: CustomerView) -> bool:
    """A customer that was written down is to be told of."""
    return True


def left_to_tell(answered: CustomerView, tx: Transaction) -> Person | None:
    """What the processor is to be told."""
    return to_be_told(answered.customer_id, tx)


@http_function(
    "POST",
    "/customers",
    scope="billing.customer.write",
    status=201,
    creates=True,
    limits=(RateLimit(quota=60, window_seconds=60),),
    afterwards=Errand(
        job="link_customers",
        when=always,
        find=left_to_tell,
        perform=tell_processor,
        record=keep_link,
    ),
    needs=("database", "gateway"),
    refusals=(CustomerEmailTaken, EmailInvalid),
)
def create_customer(request: CreateCustomer, tx: Transaction) -> CustomerView:
    """Write a customer down, and answer it.

    Refuses: CustomerEmailTaken, EmailInvalid.
    """
    known = tx.customers.find_by_email(request.email)
    if known is not None:
        raise CustomerEmailTaken(customerId=known.id)
    registered = Customer.register(
        id=request.id or tx.new_id(CustomerId),
        email=request.email,
        name=request.name,
        phone=request.phone,
        moment=tx,
    )
    tx.customers.keep(registered.subject)
    tx.tell(registered)
    return CustomerView.of(registered.subject)
