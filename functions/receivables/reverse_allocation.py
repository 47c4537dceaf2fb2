"""Take an allocation back: the invoice is open again, and the money is to the account's credit.

Nothing is deleted. The reversal names what it takes back, as a whole and once, and says why.
"""

from common.contracts.company_accounts import AllocationsAnswer
from common.contracts.fields import FreeText
from common.contracts.references import AllocationRef, CompanyAccountRef
from common.contracts.shapes import Request
from common.domain.company_account import CompanyAccountNotActive, CompanyAccountUnknown
from common.domain.company_settling import reverse
from common.domain.receivable import AllocationAlreadyReversed, AllocationUnknown
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class ReverseAllocation(Request):
    """The allocation in the path, and why it was wrong."""

    account_id: CompanyAccountRef
    allocation_id: AllocationRef
    reason: FreeText


@http_function(
    "POST",
    "/company-accounts/{account_id}/allocations/{allocation_id}/reverse",
    scope="billing.receivable.write",
    status=201,
    moves_money=True,
    etag="company_account",
    refusals=(
        CompanyAccountUnknown,
        CompanyAccountNotActive,
        AllocationUnknown,
        AllocationAlreadyReversed,
    ),
)
def reverse_allocation(request: ReverseAllocation, tx: Transaction) -> AllocationsAnswer:
    """Reverse an allocation, and answer what is open again.

    Refuses: CompanyAccountUnknown, CompanyAccountNotActive, AllocationUnknown,
    AllocationAlreadyReversed.
    """
    account, allocation, item, reversed_already = tx.company_accounts.take_with_allocation(
        request.account_id, request.allocation_id
    )
    back = reverse(
        account, allocation, item, tx, reversed_already=reversed_already, reason=request.reason
    )
    tx.company_accounts.keep(account)
    tx.company_accounts.keep_allocations([back.allocation], [back.item])
    tx.tell(back)
    return AllocationsAnswer.of(back)
