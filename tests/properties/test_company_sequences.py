"""Random lives of a company account against a plain model (FOL-10).

Every sequence settles stays onto an account, gives some back, invoices them, takes payments, gives
them to invoices, takes that back and writes off, in any order, sensible or not. After each step the
account's parts are the model's, its items are, and its balance is the sum of its entries in the
ledger; a step that is refused, as the model says it must be, has changed nothing.
"""

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.aggregate import Fact
from common.domain.cash import Confirmed
from common.domain.company_account import Company, CompanyAccount
from common.domain.company_settling import allocate, receive, reverse, write_off
from common.domain.identifiers import (
    CompanyAccountId,
    FolioId,
    InvoiceId,
    PaymentId,
    ReceiptId,
    RefundId,
    WriteOffId,
)
from common.domain.ledger import Entry, owed_by, payment_entries
from common.domain.payment import Payment, PaymentMethod
from common.domain.receivable import Allocation, CreditKind, Part, Receivable, Share
from common.domain.refund import Refund
from common.domain.refusal import Refusal
from tests.domain.front_desk import KABUL, Desk, usd
from tests.properties import company_model

LIMIT = 50_000


class Life:
    """An account, its part of the ledger, and its model, stepping together."""

    def __init__(self) -> None:
        self.desk = Desk()
        begun = CompanyAccount.begin(
            id=self.desk.new_id(CompanyAccountId),
            property_id=KABUL,
            company=Company(name="Kabul Trading"),
            credit_limit=usd(LIMIT),
            terms_days=30,
        )
        self.account = begun.subject
        self.facts: list[Fact] = [begun]
        self.entries: list[Entry] = []
        self.payments: dict[str, Payment] = {}
        self.items: dict[str, Receivable] = {}
        self.allocations: dict[str, Allocation] = {}
        self.model = company_model.opened(LIMIT)

    @property
    def confirmed(self) -> Confirmed:
        token = f"token-{len(self.facts)}"
        return Confirmed(
            by="laila", at=self.desk.now, token_id=token, assertion_hash="", method="totp"
        )

    def do(self, command: Callable[[CompanyAccount], Any], expected: str | None) -> Any:
        """Run a command on a copy, and keep it unless it is refused, as a store does."""
        account, before = copy.copy(self.account), self.account.digest()
        code, told = None, None
        try:
            told = command(account)
        except Refusal as refusal:
            code = refusal.code
        assert code == expected
        assert self.account.digest() == before
        if told is None:
            return None
        self.account = account
        self.facts.append(told)
        self.entries += getattr(told, "entries", ())
        for item in (*getattr(told, "items", ()), *_one(told, "item")):
            self.items[item.invoice_id] = item
        for allocation in getattr(told, "allocations", ()):
            self.allocations[allocation.id] = allocation
        return told

    # what may happen

    def settle(self, cents: int) -> None:
        payment = Payment(
            id=self.desk.new_id(PaymentId),
            folio_id=self.desk.new_id(FolioId),
            method=PaymentMethod.CITY_LEDGER,
            paid=usd(cents),
            amount=usd(cents),
            fx=None,
            business_date=date(2026, 3, 2),
            company_account_id=self.account.id,
        )
        expected = company_model.charge(self.model, payment.id, cents)
        if self.do(lambda account: account.charge(payment, KABUL), expected):
            self.payments[payment.id] = payment
            self.entries += payment_entries(payment)

    def give_back(self, place: int, cents: int) -> None:
        """So much of a settlement as was not given back yet."""
        if not self.payments:
            return
        payment = list(self.payments.values())[place % len(self.payments)]
        cents = min(cents, payment.left.minor_units)
        if not cents:
            return
        refund = Refund(
            promised_at=self.confirmed.at,
            id=self.desk.new_id(RefundId),
            folio_id=payment.folio_id,
            payment_id=payment.id,
            method=payment.method,
            paid=usd(cents),
            amount=usd(cents),
            reason="Noise",
            confirmed=self.confirmed,
            business_date=date(2026, 3, 2),
            reference="By hand",
        )
        invoiced = payment.id not in self.model["new"]
        company_model.give_back(self.model, payment.id, cents)
        self.do(lambda account: account.give_back(refund, invoiced=invoiced), None)
        self.entries += refund.entries(payment)
        micro = payment.refunded_micro + cents * 10_000
        self.payments[payment.id] = replace(
            payment, refunded_micro=micro, refunded_paid_micro=micro
        )

    def invoice(self, count: int) -> None:
        """The oldest settlements that are on no invoice become an item."""
        names = list(self.model["new"])[:count]
        number = self.desk.new_id(InvoiceId)
        worth = company_model.invoice(self.model, number, names)
        if not worth:
            return
        folio = self.payments[names[0]].folio_id
        on = date(2026, 3, 2)
        parts = [Part(PaymentId(each), self.payments[each].kept) for each in names]
        told = self.do(lambda account: account.invoice(number, folio, parts, on), None)
        assert told.amount == usd(worth)
        self.items[number] = told.receivable

    def receive(self, cents: int, wanted: list[tuple[int, int]] | None) -> None:
        shares, plain = self._shares(wanted)
        model = copy.deepcopy(self.model)
        model["credit"] += cents
        expected = company_model.allocate(model, plain, cents, self._dues())
        self.model = self.model if expected else model
        id = self.desk.new_id(ReceiptId)
        items, kind = list(self.items.values()), CreditKind.BANK_TRANSFER
        self.do(
            lambda account: receive(
                account, items, usd(cents), self.desk, id=id, kind=kind, wanted=shares
            ),
            expected,
        )

    def allocate(self, wanted: list[tuple[int, int]] | None) -> None:
        shares, plain = self._shares(wanted)
        expected = company_model.allocate(self.model, plain, self.model["credit"], self._dues())
        items = list(self.items.values())
        self.do(lambda account: allocate(account, items, shares, self.desk), expected)

    def take_back(self, place: int) -> None:
        if not self.allocations:
            return
        given = list(self.allocations.values())[place % len(self.allocations)]
        done = given.id in self.model["given"]
        cents = given.amount.minor_units
        expected = company_model.take_back(self.model, given.id, given.invoice_id, cents)
        item = self.items[given.invoice_id]
        self.do(
            lambda account: reverse(
                account, given, item, self.desk, reversed_already=done, reason="Wrong"
            ),
            expected,
        )

    def give_up(self, place: int, cents: int) -> None:
        if not self.items:
            return
        name = list(self.items)[place % len(self.items)]
        expected = company_model.give_up(self.model, name, cents)
        id, items = self.desk.new_id(WriteOffId), [self.items[name]]
        self.do(
            lambda account: write_off(
                account,
                items,
                InvoiceId(name),
                usd(cents),
                self.desk,
                id=id,
                reason="Bankrupt",
                confirmed=self.confirmed,
            ),
            expected,
        )

    def _shares(
        self, wanted: list[tuple[int, int]] | None
    ) -> tuple[list[Share] | None, list[tuple[str, int]] | None]:
        if wanted is None or not self.items:
            return None, None
        names = list(self.items)
        plain = [(names[place % len(names)], cents) for place, cents in wanted]
        return [Share(InvoiceId(name), usd(cents)) for name, cents in plain], plain

    def _dues(self) -> list[str]:
        """All are due on the same day: the first id is the first."""
        return sorted(self.model["items"])

    def check(self) -> None:
        """The account, its items, the ledger and the model agree."""
        account, model = self.account, self.model
        assert account.not_invoiced.minor_units == sum(model["new"].values())
        assert account.open.minor_units == sum(model["items"].values())
        assert account.unallocated.minor_units == model["credit"]
        opens = {name: item.open.minor_units for name, item in self.items.items()}
        assert opens == model["items"]
        mine = owed_by(account.id)
        booked = sum(
            entry.amount.minor_units * (1 if entry.debit == mine else -1) for entry in self.entries
        )
        assert account.balance.minor_units == booked == company_model.balance(model)
        assert min(account.not_invoiced, account.open, account.unallocated) >= usd(0)
        assert [fact.sequence for fact in self.facts] == list(range(1, len(self.facts) + 1))


def _one(told: Any, name: str) -> tuple[Any, ...]:
    found = getattr(told, name, None)
    return () if found is None else (found,)


CENTS = st.integers(min_value=1, max_value=20_000)
PLACES = st.integers(min_value=0, max_value=6)
WANTED = st.none() | st.lists(
    st.tuples(PLACES, st.integers(min_value=0, max_value=12_000)), max_size=3
)
STEPS = st.one_of(
    st.tuples(st.just("settle"), CENTS),
    st.tuples(st.just("give_back"), PLACES, CENTS),
    st.tuples(st.just("invoice"), st.integers(min_value=1, max_value=3)),
    st.tuples(st.just("receive"), CENTS, WANTED),
    st.tuples(st.just("allocate"), WANTED),
    st.tuples(st.just("take_back"), PLACES),
    st.tuples(st.just("give_up"), PLACES, CENTS),
)


@pytest.mark.req("FOL-10", "MON-6")
@settings(max_examples=1_000)
@given(st.lists(STEPS, max_size=24))
def test_an_account_is_what_the_model_says_after_every_step(steps: list[tuple[Any, ...]]) -> None:
    life = Life()
    for name, *arguments in steps:
        getattr(life, name)(*arguments)
        life.check()
