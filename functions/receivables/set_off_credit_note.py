"""Set a credit note off against what a company owes.

What was credited of an invoice is owed to the customer. Where that is a company which has not paid
the invoice yet, it pays so much less: the credit note pays its own invoice as far as that is open,
and is to the account's credit beyond that. It is set off by hand, in full or in parts: companies
that share an invoice share its credit note, and together they have no more of it than it is.
"""

from common.contracts.company_accounts import SetOffAnswer
from common.contracts.fields import Payable
from common.contracts.references import CompanyAccountRef, CreditNoteRef, SetOffRef
from common.contracts.shapes import Request
from common.domain.company_account import CompanyAccountNotActive, CompanyAccountUnknown
from common.domain.company_settling import set_off
from common.domain.credit_note import CreditNoteUnknown
from common.domain.identifiers import SetOffId
from common.domain.money import AmountNotPositive, CurrenciesDiffer
from common.domain.receivable import (
    CreditNoteAlreadySetOff,
    InvoiceWrittenOff,
    SetOffExceedsCreditNote,
)
from common.ports.transaction import Transaction
from common.runtime.declaration import http_function


class SetOffCreditNote(Request):
    """Which credit note, over an invoice that the account in the path owes; all that is left of it,
    or some."""

    account_id: CompanyAccountRef
    id: SetOffRef | None = None
    credit_note_id: CreditNoteRef
    amount: Payable | None = None


@http_function(
    "POST",
    "/company-accounts/{account_id}/set-offs",
    scope="billing.receivable.write",
    status=201,
    moves_money=True,
    creates=True,
    etag="company_account",
    refusals=(
        CompanyAccountUnknown,
        CreditNoteUnknown,
        CompanyAccountNotActive,
        CreditNoteAlreadySetOff,
        CurrenciesDiffer,
        AmountNotPositive,
        SetOffExceedsCreditNote,
        InvoiceWrittenOff,
    ),
)
def set_off_credit_note(request: SetOffCreditNote, tx: Transaction) -> SetOffAnswer:
    """Set a credit note off against its invoice, and answer what is left to pay.

    Refuses: CompanyAccountUnknown, CreditNoteUnknown, CompanyAccountNotActive,
    CreditNoteAlreadySetOff, CurrenciesDiffer, AmountNotPositive, SetOffExceedsCreditNote,
    InvoiceWrittenOff.
    """
    account, item, note = tx.company_accounts.take_with_note(
        request.account_id, request.credit_note_id
    )
    done = set_off(account, item, note, request.amount, tx, id=request.id or tx.new_id(SetOffId))
    tx.company_accounts.keep(account)
    tx.company_accounts.keep_credit(done.credit)
    tx.company_accounts.keep_allocations(done.allocations, done.items)
    tx.ledger.post(done)
    tx.tell(done)
    return SetOffAnswer.of(done)
