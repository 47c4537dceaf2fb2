"""What companies owe, as folios change it: taken over, given back, and invoiced.

The folio is locked already; its accounts are taken behind it, several in the order of their ids,
and before the series that numbers the invoice. So nobody waits for somebody who waits for them.
"""

from collections.abc import Sequence

from common.domain.credit_note import CreditNote
from common.domain.folio import Folio
from common.domain.invoice import Invoice
from common.domain.payment import CompanyAccountMissing, Payment
from common.domain.receivable import Part
from common.domain.refund import Refund
from common.ports.company_accounts import Debtors
from common.ports.transaction import Transaction


def charge_account(tx: Transaction, folio: Folio, payment: Payment) -> None:
    """Let the account that a payment names owe it.

    Refuses: CompanyAccountMissing, CompanyAccountUnknown, CompanyAccountNotActive,
    CurrenciesDiffer, CreditLimitExceeded.
    """
    if payment.company_account_id is None:
        raise CompanyAccountMissing()
    account = tx.company_accounts.take(payment.company_account_id)
    charged = account.charge(payment, folio.property_id)
    tx.company_accounts.keep(account)
    tx.tell(charged)


def give_back_debt(tx: Transaction, payment: Payment, refund: Refund) -> None:
    """Let an account owe less by what was given back of a payment, if it owed it.

    Refuses: CompanyAccountNotActive, InvoiceWrittenOff.
    """
    if payment.company_account_id is None:
        return
    account, item = tx.company_accounts.take_of_payment(payment)
    credited = account.give_back(refund, invoiced=item is not None, item=item)
    tx.company_accounts.keep(account)
    if credited.credit is not None:
        tx.company_accounts.keep_credit(credited.credit)
    tx.tell(credited)


def invoice_accounts(
    tx: Transaction,
    folio: Folio,
    payments: Sequence[Payment],
    debtors: Debtors,
    document: Invoice | CreditNote | None,
) -> None:
    """Turn what was settled onto accounts, and is no item's yet, into what is owed by an invoice.

    What was given back before is not owed. Where a folio that was opened again came to no further
    invoice, it is owed by the one that there is: somebody else pays it now.
    """
    invoice_id = document.id if isinstance(document, Invoice) else debtors.billed
    on = tx.settings.property(folio.property_id).business_date(tx.now)
    new = [each for each in payments if each.id not in debtors.invoiced and each.is_kept]
    items = {item.account_id: item for item in debtors.items if item.invoice_id == invoice_id}
    for account in debtors.accounts:
        of_account = [each for each in new if each.company_account_id == account.id]
        parts = [Part(payment.id, payment.kept) for payment in of_account]
        if parts and invoice_id is None:
            raise ValueError(f"{folio.id} is owed by {account.id} and was never billed")
        if parts and invoice_id is not None:
            item = items.get(account.id)
            created = account.invoice(invoice_id, folio.id, parts, on, item)
            tx.company_accounts.keep(account)
            tx.company_accounts.keep_item(created, on)
            tx.tell(created)
