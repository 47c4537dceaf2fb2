"""List what a customer has left to pay with: brand, last four digits and expiry, never a token."""

from common.contracts.customers import StoredMethodView
from common.contracts.references import CustomerRef
from common.contracts.shapes import ListRequest, Outcome
from common.domain.customer import CustomerUnknown
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListPaymentMethods(ListRequest):
    """The methods of the customer in the path."""

    customer_id: CustomerRef


class StoredMethodPage(Outcome):
    """A page of payment methods; `nextCursor` is null at the end."""

    items: tuple[StoredMethodView, ...]
    next_cursor: str | None


@http_function(
    "GET",
    "/customers/{customer_id}/payment-methods",
    scope="billing.customer.read",
    refusals=(CustomerUnknown, CursorInvalid),
)
def list_payment_methods(request: ListPaymentMethods, tx: Transaction) -> StoredMethodPage:
    """Answer a page of what a customer has left and not removed.

    Refuses: CustomerUnknown, CursorInvalid.
    """
    customer = tx.customers.get(request.customer_id)
    page = tx.stored_methods.page(customer.id, request.limit, request.cursor)
    return StoredMethodPage(
        items=tuple(StoredMethodView.of(method) for method in page.items),
        next_cursor=page.next_cursor,
    )
