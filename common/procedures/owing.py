"""What companies owe, as folios change it: taken over, given back, and invoiced.

The folio is locked already; its accounts are taken behind it, several in the order of their ids,
and before the series that numbers the invoice. So nobody waits for somebody who waits for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from common.domain.company_account import CompanyAccount
from common.domain.credit_note import CreditNote
from common.domain.folio import Folio
from common.domain.identifiers import PaymentId
from common.domain.invoice import Invoice
from common.domain.money import Money
from common.domain.payment import CompanyAccountMissing, Payment
from common.domain.refund import Refund
from common.ports.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Debt:
    """What an account is to be invoiced of a folio: more than nothing."""

    account: CompanyAccount
    amount: Money


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

    Refuses: CompanyAccountNotActive.
    """
    if payment.company_account_id is None:
        return
    account, invoiced = tx.company_accounts.take_of_payment(payment)
    credited = account.give_back(refund, invoiced=invoiced)
    tx.company_accounts.keep(account)
    if credited.credit is not None:
        tx.company_accounts.keep_credit(credited.credit)
    tx.tell(credited)


def debts_of(
    folio: Folio,
    payments: Sequence[Payment],
    accounts: Sequence[CompanyAccount],
    invoiced: frozenset[PaymentId],
) -> tuple[Debt, ...]:
    """What each account owes of a folio and is on no document yet."""
    new = [payment for payment in payments if payment.id not in invoiced]
    debts = (Debt(account, _owed_by(account, new, folio)) for account in accounts)
    return tuple(debt for debt in debts if debt.amount.amount_micro > 0)


def invoice_accounts(
    tx: Transaction, document: Invoice | CreditNote | None, debts: Sequence[Debt]
) -> None:
    """Turn debts into open items of the invoice that was issued over them.

    Where a folio that was opened again came to less, and a company came to owe what a guest had
    paid, that is the invoice which the credit note names.
    """
    if document is None:
        return
    invoice_id = document.id if isinstance(document, Invoice) else document.invoice_id
    for debt in debts:
        created = debt.account.invoice(
            invoice_id, document.folio_id, debt.amount, document.business_date
        )
        tx.company_accounts.keep(debt.account)
        tx.company_accounts.keep_new(created.receivable)
        tx.tell(created)


def _owed_by(account: CompanyAccount, payments: Sequence[Payment], folio: Folio) -> Money:
    """What the house has kept of the payments that settled onto an account."""
    of_account = (each for each in payments if each.company_account_id == account.id)
    return Money.total((each.kept for each in of_account), folio.currency)
