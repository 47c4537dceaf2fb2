"""Change a company account: who it is, its terms, its limit, or whether it is in use.

An account on hold takes payments and nothing new; a closed one takes neither until it is opened
again, and closes only when nothing is open on either side. What is due already keeps its date.
"""

from common.contracts.company_accounts import (
    AccountStatusName,
    CompanyAccountView,
    CompanyGiven,
    TermsDays,
)
from common.contracts.fields import AmountNotNegative, FreeText
from common.contracts.references import CompanyAccountRef
from common.contracts.shapes import Request
from common.domain.company_account import (
    AccountStatus,
    CompanyAccountNotActive,
    CompanyAccountNotSettled,
    CompanyAccountUnknown,
)
from common.domain.money import CurrenciesDiffer
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ChangeCompanyAccount(Request):
    """What becomes of the account in the path, and why; what is not given stays as it is."""

    account_id: CompanyAccountRef
    company: CompanyGiven | None = None
    terms_days: TermsDays | None = None
    credit_limit: AmountNotNegative | None = None
    status: AccountStatusName | None = None
    reason: FreeText


@http_function(
    "PATCH",
    "/company-accounts/{account_id}",
    scope="billing.receivable.write",
    etag="company_account",
    refusals=(
        CompanyAccountUnknown,
        CurrenciesDiffer,
        CompanyAccountNotActive,
        CompanyAccountNotSettled,
    ),
)
def change_company_account(request: ChangeCompanyAccount, tx: Transaction) -> CompanyAccountView:
    """Change a company account, and answer it.

    Refuses: CompanyAccountUnknown, CurrenciesDiffer, CompanyAccountNotActive,
    CompanyAccountNotSettled.
    """
    account = tx.company_accounts.take(request.account_id)
    changed = account.change(
        company=request.company.company() if request.company else None,
        terms_days=request.terms_days,
        credit_limit=request.credit_limit,
        status=AccountStatus(request.status) if request.status else None,
        reason=request.reason,
    )
    if changed is not None:
        tx.company_accounts.keep(account)
        tx.tell(changed)
    return CompanyAccountView.of(account)
