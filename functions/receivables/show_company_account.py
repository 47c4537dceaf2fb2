"""Show a company account: its terms, what it owes, and the invoices that are open."""

from common.contracts.company_accounts import CompanyAccountWithItems
from common.contracts.references import CompanyAccountRef
from common.contracts.shapes import Request
from common.domain.company_account import CompanyAccountUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowCompanyAccount(Request):
    """The account in the path."""

    account_id: CompanyAccountRef


@http_function(
    "GET",
    "/company-accounts/{account_id}",
    scope="billing.receivable.read",
    refusals=(CompanyAccountUnknown,),
)
def show_company_account(request: ShowCompanyAccount, tx: Transaction) -> CompanyAccountWithItems:
    """Answer a company account with its open items.

    Refuses: CompanyAccountUnknown.
    """
    account = tx.company_accounts.get(request.account_id)
    return CompanyAccountWithItems.whole(account, tuple(tx.company_accounts.items(account.id)))
