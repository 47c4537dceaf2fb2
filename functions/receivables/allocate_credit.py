"""Give what a company has to its credit to its invoices.

Money that was paid before anything was due, or that an allocation was taken back from, waits on the
account until somebody says what it is for, or lets it pay what is due first.
"""

from common.contracts.company_accounts import AllocationsAnswer, Shares
from common.contracts.references import CompanyAccountRef
from common.contracts.shapes import Request
from common.domain.company_account import CompanyAccountUnknown
from common.domain.company_settling import allocate
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.receivable import CreditExceeded, ReceivableExceeded, ReceivableUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class AllocateCredit(Request):
    """What of the credit of the account in the path goes where."""

    account_id: CompanyAccountRef
    allocations: Shares | None = None


@http_function(
    "POST",
    "/company-accounts/{account_id}/allocations",
    scope="billing.receivable.write",
    status=201,
    moves_money=True,
    etag="company_account",
    refusals=(
        CompanyAccountUnknown,
        CurrenciesDiffer,
        AmountNotPositive,
        ReceivableUnknown,
        ReceivableExceeded,
        CreditExceeded,
    ),
)
def allocate_credit(request: AllocateCredit, tx: Transaction) -> AllocationsAnswer:
    """Allocate what is left of the account's credit, and answer what is left to pay.

    Refuses: CompanyAccountUnknown, CurrenciesDiffer, AmountNotPositive, ReceivableUnknown,
    ReceivableExceeded, CreditExceeded.
    """
    given = request.allocations
    wanted = None if given is None else tuple(each.share() for each in given)
    named = None if wanted is None else [share.invoice_id for share in wanted]
    account, items = tx.company_accounts.take_with_items(request.account_id, named)
    allocated = allocate(account, items, wanted, tx)
    tx.company_accounts.keep(account)
    tx.company_accounts.keep_allocations(allocated.allocations, allocated.items)
    tx.tell(allocated)
    return AllocationsAnswer.of(allocated)
