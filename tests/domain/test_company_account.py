"""A company account decides: who may owe how much, and when it closes."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from common.domain.cash import Confirmed
from common.domain.company_account import (
    AccountStatus,
    Company,
    CompanyAccount,
    CompanyAccountNotActive,
    CompanyAccountNotSettled,
    CompanyAccountUnknown,
    CreditLimitExceeded,
)
from common.domain.identifiers import (
    CompanyAccountId,
    FolioId,
    InvoiceId,
    PaymentId,
    PropertyId,
    RefundId,
)
from common.domain.money import CurrenciesDiffer, Money
from common.domain.payment import Payment, PaymentMethod
from common.domain.receivable import Part, Receivable
from common.domain.refund import Refund
from tests.domain.front_desk import EUR, KABUL, MORNING, usd
from tests.hotel import new_id

pytestmark = pytest.mark.req("FOL-10")
ELSEWHERE = PropertyId(UUID("7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11"))


def opened(limit: Money | None = None, **given: Any) -> CompanyAccount:
    account = CompanyAccount.begin(
        id=CompanyAccountId(new_id("cac")),
        property_id=KABUL,
        company=Company(name="Kabul Trading"),
        credit_limit=limit or usd(10_000),
        terms_days=30,
    ).subject
    for name, value in given.items():
        setattr(account, name, value)
    return account


def payment(amount: Money, worth: Money | None = None) -> Payment:
    return Payment(
        id=PaymentId(new_id("pay")),
        folio_id=FolioId(new_id("fol")),
        method=PaymentMethod.CITY_LEDGER,
        paid=amount,
        amount=worth or amount,
        fx=None,
        business_date=date(2026, 3, 2),
    )


def given_back(amount: Money) -> Refund:
    confirmed = Confirmed(
        by="laila", at=MORNING, token_id="token", assertion_hash="proof", method="totp"
    )
    return Refund(
        id=RefundId(new_id("rfd")),
        folio_id=FolioId(new_id("fol")),
        payment_id=PaymentId(new_id("pay")),
        method=PaymentMethod.CITY_LEDGER,
        paid=amount,
        amount=amount,
        reason="Noise",
        confirmed=confirmed,
        promised_at=MORNING,
        business_date=date(2026, 3, 2),
        reference="By hand",
    )


def test_owes_up_to_its_limit_and_not_a_cent_more() -> None:
    account = opened()

    told = account.charge(payment(usd(10_000)), KABUL)

    assert (told.amount, told.balance, account.credit_left) == (usd(10_000), usd(10_000), usd(0))
    with pytest.raises(CreditLimitExceeded) as refused:
        account.charge(payment(usd(1)), KABUL)
    assert refused.value.extra["leftMicro"] == 0
    assert account.not_invoiced == usd(10_000)


def test_what_it_paid_before_is_beyond_its_limit() -> None:
    account = opened(unallocated=usd(500))

    assert account.charge(payment(usd(10_500)), KABUL).balance == usd(10_000)


def test_a_limit_that_was_lowered_leaves_nothing() -> None:
    """It owes 100.00, and 50.00 would be allowed: what is left is nothing, and not less."""
    account = opened(not_invoiced=usd(10_000))
    account.change(credit_limit=usd(5_000), reason="Pays late")

    with pytest.raises(CreditLimitExceeded) as refused:
        account.charge(payment(usd(1)), KABUL)
    assert refused.value.extra["leftMicro"] == 0


@pytest.mark.parametrize("status", ["on_hold", "closed"])
def test_takes_nothing_new_unless_it_is_active(status: str) -> None:
    account = opened(status=AccountStatus(status))

    with pytest.raises(CompanyAccountNotActive):
        account.charge(payment(usd(1)), KABUL)


def test_is_unknown_at_another_property() -> None:
    with pytest.raises(CompanyAccountUnknown):
        opened().charge(payment(usd(1)), ELSEWHERE)


@pytest.mark.parametrize("foreign", ["paid", "worth"])
def test_refuses_another_currency_of_the_payment_and_of_the_folio(foreign: str) -> None:
    euro = Money.of_minor_units(1, EUR)
    amounts = (euro, usd(1)) if foreign == "paid" else (usd(1), euro)

    with pytest.raises(CurrenciesDiffer):
        opened().charge(payment(*amounts), KABUL)


def test_an_invoice_is_due_when_the_terms_are_over() -> None:
    """Thirty days from February 27 are over on March 29 in 2026."""
    account = opened(not_invoiced=usd(3_000))
    ids = InvoiceId(new_id("inv")), FolioId(new_id("fol"))
    parts = [Part(PaymentId(new_id("pay")), usd(cents)) for cents in (1_500, 500)]

    item = account.invoice(*ids, parts, date(2026, 2, 27)).receivable

    assert (item.issued_on, item.due_on) == (date(2026, 2, 27), date(2026, 3, 29))
    assert (account.not_invoiced, account.open, account.balance) == (
        usd(1_000),
        usd(2_000),
        usd(3_000),
    )


def test_a_folio_that_was_settled_once_more_adds_to_its_item_and_to_its_due_date_nothing() -> None:
    """20.00 of 50.00 are paid when 10.00 more come: 60.00, and 40.00 of them open."""
    account = opened(not_invoiced=usd(1_000), open=usd(3_000))
    item = Receivable(
        account_id=account.id,
        invoice_id=InvoiceId(new_id("inv")),
        folio_id=FolioId(new_id("fol")),
        amount=usd(5_000),
        open=usd(3_000),
        issued_on=date(2026, 2, 27),
        due_on=date(2026, 3, 29),
    )
    parts = [Part(PaymentId(new_id("pay")), usd(1_000))]

    told = account.invoice(item.invoice_id, item.folio_id, parts, date(2026, 5, 1), item)

    more = told.receivable
    assert (more.amount, more.open, more.due_on) == (usd(6_000), usd(4_000), item.due_on)
    assert (told.amount, told.more, account.open) == (usd(1_000), True, usd(4_000))


@pytest.mark.parametrize(
    "left",
    [
        {"not_invoiced": usd(1)},
        {"open": usd(1)},
        {"unallocated": usd(1)},
        {"open": usd(1), "unallocated": usd(1)},
    ],
    ids=["not invoiced", "open", "credit", "both"],
)
def test_closes_only_when_nothing_is_open_on_either_side(left: dict[str, Money]) -> None:
    account = opened(**left)

    with pytest.raises(CompanyAccountNotSettled):
        account.change(status=AccountStatus.CLOSED, reason="Gone")
    assert account.status is AccountStatus.ACTIVE


def test_a_closed_account_is_not_changed_any_more() -> None:
    account = opened()
    account.change(status=AccountStatus.CLOSED, reason="Gone")

    with pytest.raises(CompanyAccountNotActive):
        account.change(terms_days=1, reason="Why not")


def test_its_state_names_nobody() -> None:
    assert "Kabul Trading" not in str(opened().state())


def test_a_closed_account_takes_no_settlement_back() -> None:
    """After a reopening, say: what was paid and closed is not made a credit unseen."""
    account = opened(status=AccountStatus.CLOSED)

    with pytest.raises(CompanyAccountNotActive):
        account.give_back(given_back(usd(1)), invoiced=True)


@pytest.mark.parametrize("invoiced", [False, True], ids=["not invoiced", "invoiced"])
def test_what_is_given_back_after_its_invoice_is_a_credit(invoiced: bool) -> None:
    """60.00 of 100.00: before the invoice less is owed, after it they are to be allocated."""
    account = opened(not_invoiced=usd(10_000))

    told = account.give_back(given_back(usd(6_000)), invoiced=invoiced)

    parts = (account.not_invoiced, account.unallocated)
    assert parts == ((usd(10_000), usd(6_000)) if invoiced else (usd(4_000), usd(0)))
    assert (told.balance, told.credit is not None) == (usd(4_000), invoiced)
