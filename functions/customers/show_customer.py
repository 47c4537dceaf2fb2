"""Show a customer, and whether the processor knows it as it is."""

from common.contracts.customers import CustomerView
from common.contracts.references import CustomerRef
from common.contracts.shapes import Request
from common.domain.customer import CustomerUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowCustomer(Request):
    """The customer in the path."""

    customer_id: CustomerRef


@http_function(
    "GET", "/customers/{customer_id}", scope="billing.customer.read", refusals=(CustomerUnknown,)
)
def show_customer(request: ShowCustomer, tx: Transaction) -> CustomerView:
    """Answer a customer.

    Refuses: CustomerUnknown.
    """
    return CustomerView.of(tx.customers.get(request.customer_id))
