"""Open an account for a company that settles later, at one property and in one currency.

How long it has and how much it may owe is said here, and changed by somebody who says why.
"""

from common.contracts.company_accounts import CompanyAccountView, CompanyGiven, TermsDays
from common.contracts.fields import AmountNotNegative
from common.contracts.references import CompanyAccountRef, PropertyRef
from common.contracts.shapes import Request
from common.domain.company_account import CompanyAccount
from common.domain.identifiers import CompanyAccountId
from common.domain.money import Money
from common.domain.settings import PropertyUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class OpenCompanyAccount(Request):
    """Who may owe, for how long and how much.

    The account is in the currency of its limit. Without a limit it is in the property's own, and no
    credit is given: the company can use what it paid before.
    """

    id: CompanyAccountRef | None = None
    property_id: PropertyRef
    company: CompanyGiven
    terms_days: TermsDays = 30
    credit_limit: AmountNotNegative | None = None


@http_function(
    "POST",
    "/company-accounts",
    scope="billing.receivable.write",
    status=201,
    creates=True,
    refusals=(PropertyUnknown,),
)
def open_company_account(request: OpenCompanyAccount, tx: Transaction) -> CompanyAccountView:
    """Open a company account, and answer it.

    Refuses: PropertyUnknown.
    """
    house = tx.settings.property(request.property_id)
    if not tx.actor.holds(house.id):
        raise PropertyUnknown()
    limit = request.credit_limit or Money.zero(house.currency)
    opened = CompanyAccount.begin(
        id=request.id or tx.new_id(CompanyAccountId),
        property_id=house.id,
        company=request.company.company(),
        credit_limit=limit,
        terms_days=request.terms_days,
    )
    tx.company_accounts.keep(opened.subject)
    tx.tell(opened)
    return CompanyAccountView.of(opened.subject)
