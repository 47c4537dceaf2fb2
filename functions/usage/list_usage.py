"""List what a tenant has used, by period and meter, with what was billed of it."""

from typing import Annotated

from pydantic import Field

from common.contracts.fields import Digits
from common.contracts.references import TenantRef
from common.contracts.shapes import ListRequest, Outcome
from common.contracts.usage import MeterName, UsageView
from common.ports.paging import CursorInvalid
from common.ports.subscriptions import UsageFilter
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListUsage(ListRequest):
    """Whose (one's own, where who works for the platform names no other tenant), of which meter and
    period; what is not given is not asked."""

    tenant_id: TenantRef | None = None
    meter: MeterName | None = None
    period_number: Annotated[int, Field(ge=1, le=1_000_000), Digits] | None = None


class UsagePage(Outcome):
    """A page of totals; `nextCursor` is null at the end."""

    items: tuple[UsageView, ...]
    next_cursor: str | None


@http_function(
    "GET",
    "/usage",
    scope="subscription.read",
    platform_scope="platform.subscription.read",
    refusals=(CursorInvalid,),
)
def list_usage(request: ListUsage, tx: Transaction) -> UsagePage:
    """Answer a page of what was used, in the order of subscription, period and meter.

    Refuses: CursorInvalid.
    """
    which = UsageFilter(meter=request.meter, period_number=request.period_number)
    page = tx.usage.page(which, request.limit, request.cursor)
    items = tuple(UsageView.of(shown) for shown in page.items)
    return UsagePage(items=items, next_cursor=page.next_cursor)
