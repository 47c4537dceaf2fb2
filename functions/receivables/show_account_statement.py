"""Show what a company owed, what moved it from day to day, and what it owes: a statement.

It is what a company is sent every month, as a page or a PDF in the language of the house's
invoices, and what a program reads as JSON. It is drawn anew for each who asks, and kept nowhere.
"""

from common.contracts.ageing import AccountStatementView
from common.contracts.fields import Day
from common.contracts.references import CompanyAccountRef
from common.contracts.shapes import Request
from common.domain.account_statement import (
    PeriodInvalid,
    account_statement_of,
    must_be_a_period,
)
from common.domain.company_account import CompanyAccountUnknown
from common.domain.money import Money
from common.ports.powers import NotPrintable
from common.ports.transaction import Transaction
from common.runtime.declaration import HTML, PDF, RateLimit, http_function


class ShowAccountStatement(Request):
    """The account in the path, and the first and last business date that are stated."""

    account_id: CompanyAccountRef
    first: Day
    last: Day


@http_function(
    "GET",
    "/company-accounts/{account_id}/statement",
    scope="billing.receivable.read",
    pages={HTML: "account_statement", PDF: "account_statement"},
    limits=(RateLimit(quota=60, window_seconds=60),),
    refusals=(CompanyAccountUnknown, PeriodInvalid, NotPrintable),
)
def show_account_statement(request: ShowAccountStatement, tx: Transaction) -> AccountStatementView:
    """Answer a company account's statement, as JSON, as a page or as a PDF.

    Refuses: CompanyAccountUnknown, PeriodInvalid, NotPrintable.
    """
    first, last = request.first, request.last
    must_be_a_period(first, last)
    account = tx.company_accounts.get(request.account_id)
    before, moved = tx.company_accounts.moved(account.id, first, last)
    opening = before or Money.zero(account.currency)
    (ageing,) = tx.company_accounts.ageing(account.property_id, last, account.id)
    stated = account_statement_of(account, first, last, opening, moved, ageing)
    return AccountStatementView.of(stated, tx)
