"""Random transfers between three folios of a house: what they owe together stays what it was.

Charges of several kinds are posted, corrected, voided and moved about, whole and in part, in any
order, sensible or not. A transfer leaves the prices of all folios together to the minor unit, and
their exact taxes to the micro unit. Where tax is rounded per line, no account of the ledger moves;
where it is rounded once an invoice, each folio is what its own taxes come to, rounded. In the end
each folio is paid and closed, and its invoice adds up.
"""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.folio_line import LineType
from common.domain.identifiers import ChargeId
from common.domain.ledger import GUEST_LEDGER
from common.domain.money import Money
from common.domain.refusal import Refusal
from tests.domain.front_desk import JPY, KWD, USD, Account, Desk, house, series, settings_of
from tests.properties.test_folio_sequences import rules_of

pytestmark = pytest.mark.req("FOL-7", "FOL-8", "TAX-3", "MON-3")

FOLIO = st.integers(0, 2)
PICK = st.integers(0, 9)
HOW = st.one_of(
    st.just({}),
    st.builds(lambda ppm: {"share_ppm": ppm}, st.integers(1, 1_000_000)),
    st.builds(lambda units: {"units": units}, st.integers(-5, 2_000)),
)
STEPS = st.one_of(
    st.tuples(
        st.just("charge"), FOLIO, st.sampled_from(["room", "spa"]), st.integers(1, 999), PICK
    ),
    st.tuples(st.just("adjust"), FOLIO, PICK, st.integers(-300, 100)),
    st.tuples(st.just("void"), FOLIO, PICK),
    st.tuples(st.just("move"), FOLIO, FOLIO, st.lists(PICK, min_size=1, max_size=3), HOW),
    st.tuples(st.just("move"), FOLIO, FOLIO, st.lists(PICK, min_size=1, max_size=3), HOW),
)


class House:
    """Three folios, and what is compared of them."""

    def __init__(self, regime: str, rounding: str, currency: Any) -> None:
        self.per_line = rounding == "line"
        desk = Desk(
            settings_of(
                *rules_of(regime, currency),
                hotel=house(currency=currency),
                rounds_tax_per_invoice=not self.per_line,
            )
        )
        self.folios = [Account(desk) for _ in range(3)]

    def charges(self, folio: int) -> list[ChargeId]:
        lines = self.folios[folio].lines
        return list(dict.fromkeys(line.charge_id for line in lines if line.charge_id))

    def step(self, what: str, folio: int, *given: Any) -> None:
        account, charges = self.folios[folio], self.charges(folio)
        if what == "charge":
            kind, units, nights = given
            account.charge(units, kind, nights=nights)
        elif not charges:
            return
        elif what == "move":
            to, picks, how = given
            self.move(folio, to, [charges[pick % len(charges)] for pick in picks], dict(how))
        elif what == "adjust":
            account.adjust(charges[given[0] % len(charges)], given[1])
        else:
            account.void(charges[given[0] % len(charges)])

    def move(self, folio: int, to: int, charges: list[ChargeId], how: dict[str, Any]) -> None:
        source, target = self.folios[folio], self.folios[to]
        if "units" in how:
            how = {"amount": Money.of_minor_units(how["units"], source.folio.currency)}
        before = self.together()
        moved = source.move(target, *charges, **how)
        assert self.together() == before
        gone, come = moved.left.lines, moved.reached.lines
        assert [line.moved_from for line in come] == [line.id for line in gone]
        assert {line.type for line in come} <= {
            LineType.CHARGE, LineType.TAX, LineType.ADJUSTMENT,
        }  # fmt: skip

    def together(self) -> tuple[Counter[object], ...]:
        """Prices by kind, exact taxes by group, and where a line is rounded the whole ledger."""
        prices: Counter[object] = Counter()
        taxes: Counter[object] = Counter()
        ledger: Counter[object] = Counter()
        for account in self.folios:
            for line in account.lines:
                if line.tax is None or line.tax.inclusive:
                    prices[line.kind] += line.amount.amount_micro
                if line.tax is not None:
                    taxes[line.tax.key, line.tax.inclusive] += line.tax.exact.amount_micro
            for entry in account.entries if self.per_line else ():
                ledger[entry.debit] += entry.amount.amount_micro
                ledger[entry.credit] -= entry.amount.amount_micro
        return prices, taxes, ledger

    def check(self) -> None:
        for account in self.folios:
            assert [line.sequence for line in account.lines] == list(
                range(1, account.folio.last_line + 1)
            )
            total = sum(line.amount.minor_units for line in account.lines)
            assert account.balance == total == account.in_the_ledger(GUEST_LEDGER)
            sums: Counter[str] = Counter()
            for _, posted in account.folio.tax_sums.groups.values():
                sums["posted"] += posted
            taxes = [line.amount.amount_micro for line in account.lines if line.tax]
            assert sums["posted"] == sum(taxes)
            for exact, posted in account.folio.tax_sums.groups.values():
                rounded = Money(exact, account.folio.currency).rounded()
                assert rounded.amount_micro == posted

    def settle(self) -> None:
        for account in self.folios:
            if account.balance > 0:
                account.pay(account.balance)
            if account.balance == 0:
                account.invoice(account.close(), series())


@pytest.mark.parametrize("regime", ["on top", "inside", "two inside", "on a tax", "city tax"])
@pytest.mark.parametrize("rounding", ["line", "invoice"])
@settings(max_examples=60)
@given(currency=st.sampled_from([USD, JPY, KWD]), steps=st.lists(STEPS, max_size=14))
def test_what_folios_owe_together_stays_as_it_was(
    regime: str, rounding: str, currency: Any, steps: list[tuple[Any, ...]]
) -> None:
    there = House(regime, rounding, currency)
    for folio in range(3):
        there.step("charge", folio, "room", 100 + folio, 2)
    for what, *given_ in steps:
        before = there.together()
        try:
            there.step(what, *given_)
        except Refusal:
            assert there.together() == before
        there.check()
    there.settle()
