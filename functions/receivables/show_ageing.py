"""Show how old a company's debts were at the end of a day, invoice by invoice.

It is worked out from what had happened by then: a day that is over is always answered the same.
"""

from common.contracts.ageing import AgeingView
from common.contracts.fields import Day
from common.contracts.references import CompanyAccountRef
from common.contracts.shapes import Request
from common.domain.company_account import CompanyAccountUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ShowAgeing(Request):
    """The account in the path; `asOf` is the property's business date unless it is given."""

    account_id: CompanyAccountRef
    as_of: Day | None = None


@http_function(
    "GET",
    "/company-accounts/{account_id}/ageing",
    scope="billing.receivable.read",
    refusals=(CompanyAccountUnknown,),
)
def show_ageing(request: ShowAgeing, tx: Transaction) -> AgeingView:
    """Answer what was open of a company's invoices on a day, by days past due.

    Refuses: CompanyAccountUnknown.
    """
    account = tx.company_accounts.get(request.account_id)
    house = tx.settings.property(account.property_id)
    on = request.as_of or house.business_date(tx.now)
    (ageing,) = tx.company_accounts.ageing(house.id, on, account.id)
    return AgeingView.of(ageing)
