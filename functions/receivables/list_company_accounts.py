"""List company accounts by property and status, in the order of their ids."""

from common.contracts.company_accounts import AccountStatusName, CompanyAccountView
from common.contracts.references import PropertyRef
from common.contracts.shapes import ListRequest, Outcome
from common.ports.company_accounts import CompanyAccountFilter
from common.ports.paging import CursorInvalid
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ListCompanyAccounts(ListRequest):
    """Which accounts; what is not given is not asked."""

    property_id: PropertyRef | None = None
    status: AccountStatusName | None = None


class CompanyAccountPage(Outcome):
    """A page of accounts; `nextCursor` is null at the end."""

    items: tuple[CompanyAccountView, ...]
    next_cursor: str | None


@http_function(
    "GET", "/company-accounts", scope="billing.receivable.read", refusals=(CursorInvalid,)
)
def list_company_accounts(request: ListCompanyAccounts, tx: Transaction) -> CompanyAccountPage:
    """Answer a page of the company accounts of the caller's properties.

    Refuses: CursorInvalid.
    """
    which = CompanyAccountFilter(property_id=request.property_id, status=request.status)
    page = tx.company_accounts.page(which, request.limit, request.cursor)
    return CompanyAccountPage(
        items=tuple(CompanyAccountView.of(account) for account in page.items),
        next_cursor=page.next_cursor,
    )
