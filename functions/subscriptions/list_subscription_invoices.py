"""List the platform's invoices to a tenant, in the order of their ids."""

from common.contracts.references import TenantRef
from common.contracts.shapes import ListRequest, Outcome
from common.contracts.subscriptions import SubscriptionInvoiceView
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListSubscriptionInvoices(ListRequest):
    """Whose: one's own, where who works for the platform names no other tenant."""

    tenant_id: TenantRef | None = None


class SubscriptionInvoicePage(Outcome):
    """A page of invoices; `nextCursor` is null at the end."""

    items: tuple[SubscriptionInvoiceView, ...]
    next_cursor: str | None


@http_function(
    "GET",
    "/subscription-invoices",
    scope="subscription.read",
    platform_scope="platform.subscription.read",
    refusals=(CursorInvalid,),
)
def list_subscription_invoices(
    request: ListSubscriptionInvoices, tx: Transaction
) -> SubscriptionInvoicePage:
    """Answer a page of the platform's invoices to a tenant.

    Refuses: CursorInvalid.
    """
    page = tx.subscriptions.page(request.limit, request.cursor)
    items = tuple(SubscriptionInvoiceView.of(invoice) for invoice in page.items)
    return SubscriptionInvoicePage(items=items, next_cursor=page.next_cursor)
