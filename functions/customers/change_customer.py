"""Change who a customer is: what is sent stands in the place of what was known.

The processor is told right afterwards, as it was of the customer itself.
"""

from common.contracts.customers import CustomerView, EmailAddress, Phone
from common.contracts.fields import Name
from common.contracts.references import CustomerRef
from common.contracts.shapes import Request
from common.domain.customer import CustomerEmailTaken, CustomerUnknown, EmailInvalid
from common.ports.cards import Person
from common.ports.transaction import Transaction
from common.procedures.linking_customers import keep_link, tell_processor, to_be_told
from common.runtime.declaration import Errand, RateLimit, http_function


class ChangeCustomer(Request):
    """All of the customer in the path; without `phone` none is known any more."""

    customer_id: CustomerRef
    email: EmailAddress
    name: Name
    phone: Phone | None = None


def waits_to_be_told(answered: CustomerView) -> bool:
    """Whether the processor does not know it as it is."""
    return answered.processor == "pending"


def left_to_tell(answered: CustomerView, tx: Transaction) -> Person | None:
    """What the processor is to be told."""
    return to_be_told(answered.customer_id, tx)


@http_function(
    "PUT",
    "/customers/{customer_id}",
    scope="billing.customer.write",
    etag="customer",
    limits=(RateLimit(quota=60, window_seconds=60),),
    afterwards=Errand(
        job="link_customers",
        when=waits_to_be_told,
        find=left_to_tell,
        perform=tell_processor,
        record=keep_link,
    ),
    needs=("database", "gateway"),
    refusals=(CustomerUnknown, CustomerEmailTaken, EmailInvalid),
)
def change_customer(request: ChangeCustomer, tx: Transaction) -> CustomerView:
    """Put these details in the place of the customer's, and answer it.

    Refuses: CustomerUnknown, CustomerEmailTaken, EmailInvalid.
    """
    customer = tx.customers.take(request.customer_id)
    same = tx.customers.find_by_email(request.email)
    if same is not None and same.id != customer.id:
        raise CustomerEmailTaken(customerId=same.id)
    changed = customer.change(
        email=request.email, name=request.name, phone=request.phone, moment=tx
    )
    if changed is not None:
        tx.customers.keep(customer)
        tx.tell(changed)
    return CustomerView.of(customer)
