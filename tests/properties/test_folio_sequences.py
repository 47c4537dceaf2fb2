"""Random lives of a folio against a plain model (FOL-8).

Every sequence opens a folio, charges to it, does up to 14 things to it in any order, sensible or
not, and at last tries to pay and close it. After each step the balance is the sum of the lines, the
ledger's and the model's; lines and facts are numbered without a gap; what an invoice would say adds
up to the same; and a step that is refused, as the model says it must be, has changed nothing.
"""

import json
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.domain.folio_line import LineType
from common.domain.identifiers import ChargeId
from common.domain.invoice_payload import Totals, breakdown_of, rows_of
from common.domain.ledger import GUEST_DEPOSITS, GUEST_LEDGER
from common.domain.money import Currency, Money
from common.domain.refusal import Refusal
from common.domain.tax import TaxRule
from tests.domain.front_desk import (
    EUR,
    JPY,
    KWD,
    USD,
    Account,
    Desk,
    house,
    rate,
    rule,
    series,
    settings_of,
)
from tests.properties import folio_model

KINDS = frozenset(folio_model.TAXED_KINDS)
# A currency, the micro units of its minor unit, what a euro is worth, what a euro cent is worth.
HOUSES: list[tuple[Currency, int, str, Fraction]] = [
    (USD, 10_000, "1.0806", Fraction(10806, 10000)),
    (JPY, 1_000_000, "162.35", Fraction(16235, 10000)),
    (KWD, 1_000, "0.3321", Fraction(3321, 1000)),
]


def rules_of(regime: str, currency: Currency) -> tuple[TaxRule, ...]:
    """The model's regimes as a tenant would set them up."""
    if regime == "city tax":
        fixed = Money.of_minor_units(25, currency)
        city = rule("CITY", per_night=fixed, charge_kinds=frozenset({"room"}), category="O")
        return (city, rule(percent=10, charge_kinds=KINDS))
    percents = {
        "on top": [("VAT", 10, False, 0)],
        "inside": [("VAT", 7, True, 0)],
        "two inside": [("GST", 5, True, 0), ("VAT", 8, True, 0)],
        "on a tax": [("LEVY", 3, False, 1), ("VAT", 10, True, 0)],
    }
    return tuple(
        rule(code, percent, inclusive=inclusive, order=order, charge_kinds=KINDS)
        for code, percent, inclusive, order in percents[regime]
    )


class Life:
    """A folio and its model, stepping together."""

    def __init__(self, regime: str, rounding: str, where: int) -> None:
        currency, micro, euro, cent = HOUSES[where]
        desk = Desk(
            settings_of(
                *rules_of(regime, currency),
                hotel=house(currency=currency),
                rounds_tax_per_invoice=rounding == "invoice",
            )
        )
        self.account = Account(desk, rates=[rate(EUR, euro, currency)])
        self.model = folio_model.opened(regime, rounding, micro=micro, euro=cent)
        self.facts = 1

    def charge(self, kind: str, price: int, nights: int) -> None:
        self.both(
            folio_model.charge(self.model, kind, price, nights),
            lambda: self.account.charge(price, kind, nights=nights),
        )

    def void(self, which: int) -> None:
        if self.charges:
            which %= len(self.charges)
            self.both(
                folio_model.void(self.model, which),
                lambda: self.account.void(self.charges[which]),
            )

    def adjust(self, which: int, amount: int) -> None:
        if self.charges:
            which %= len(self.charges)
            self.both(
                folio_model.adjust(self.model, which, amount),
                lambda: self.account.adjust(self.charges[which], amount),
            )

    def take_back(self, which: int) -> None:
        """Adjust a charge to nothing."""
        if self.charges:
            which %= len(self.charges)
            self.adjust(which, -sum(self.model["charges"][which]["prices"]))

    def pay(self, amount: int, in_euros: bool, allow_credit: bool) -> None:
        self.both(
            folio_model.pay(self.model, amount, in_euros=in_euros, allow_credit=allow_credit),
            lambda: self.account.pay(amount, EUR if in_euros else None, allow_credit=allow_credit),
        )

    def settle(self, off: int, in_euros: bool) -> None:
        """Pay all that is owed, or a little beside it."""
        worth = self.model["euro"] if in_euros else 1
        owed = folio_model.half_away(folio_model.balance(self.model) / Fraction(worth))
        self.pay(owed + off, in_euros, False)

    def change_rounding(self) -> None:
        per_invoice = self.model["rounding"] == "line"
        self.model["rounding"] = "invoice" if per_invoice else "line"
        self.account.desk.change(rounds_tax_per_invoice=per_invoice)

    def close(self) -> None:
        expected = folio_model.close(self.model)
        self.both(expected, lambda: self.check_invoice(self.account.close()))

    @property
    def charges(self) -> list[ChargeId]:
        return [line.charge_id for line in self.account.lines if line.type is LineType.CHARGE]

    def both(self, expected: str | None, act: Callable[[], object]) -> None:
        """Act, and compare with what the model expects: the code of a refusal, or none."""
        before = self.remembered()
        if expected is not None:
            with pytest.raises(Refusal) as refused:
                act()
            assert (refused.value.code, self.remembered()) == (expected, before)
            return
        act()
        self.facts += 1
        self.check()

    def remembered(self) -> tuple[object, ...]:
        folio = self.account.folio
        sums = {group: tuple(sums) for group, sums in folio.tax_sums.groups.items()}
        counts = len(self.account.lines), len(self.account.entries), len(self.account.payments)
        return folio.state(), folio.version, folio.closed_at, folio.fresh, sums, counts

    def check(self) -> None:
        account, folio, model = self.account, self.account.folio, self.model
        owed = 0 if "residual" in model else folio_model.balance(model)
        assert account.balance == owed
        assert sum(line.amount.minor_units for line in account.lines) == owed
        assert [line.sequence for line in account.lines] == list(range(1, folio.last_line + 1))
        assert (folio.version, len(account.lines)) == (self.facts, folio.last_line)
        self.check_ledger(owed)
        self.check_document()

    def check_ledger(self, owed: int) -> None:
        booked: Counter[str] = Counter()
        for entry in self.account.entries:
            if entry.amount.currency == self.account.folio.currency:
                booked[entry.debit] += entry.amount.minor_units
                booked[entry.credit] -= entry.amount.minor_units
        assert booked[GUEST_LEDGER] == max(0, owed)
        assert booked[GUEST_DEPOSITS] == min(0, owed)
        for code, tax in folio_model.tax_owed(self.model).items():
            assert booked[f"tax_payable:{code}"] == -tax
        assert booked["fx_clearing"] == sum(
            paid["worth"] for paid in self.model["paid"] if paid["in_euros"]
        )
        keys = Counter((entry.source, entry.part) for entry in self.account.entries)
        assert set(keys.values()) <= {1}

    def check_document(self) -> None:
        """What an invoice over these lines would say."""
        currency = self.account.folio.currency
        totals = Totals.of(self.account.lines, currency)
        rows = rows_of(self.account.lines)
        breakdown = breakdown_of(rows)
        owed = folio_model.tax_owed(self.model)
        assert {group.rule_code: group.tax.minor_units for group in breakdown} == owed
        assert totals.tax.minor_units == sum(owed.values())
        assert totals.gross.minor_units == folio_model.consumed(self.model)
        assert Money.total((row.taxation.net for row in rows), currency) == totals.net
        assert Money.total((row.taxation.gross for row in rows), currency) == totals.gross
        prices = [price for one in self.standing for price in one["prices"]]
        assert sorted(row.taxation.price.minor_units for row in rows) == sorted(prices)
        for group in breakdown:
            if group.rule_code == "VAT":
                assert group.base == totals.net

    def check_invoice(self, closed: Any) -> None:
        """The invoice that a close issues; closing has cost nobody more than the residual."""
        model, unit = self.model, self.account.folio.currency.minor_unit_micro
        invoice = self.account.invoice(closed, series())
        payload = json.loads(invoice.payload)
        totals, tax = payload["totals"], sum(folio_model.tax_owed(model).values())
        assert totals["dueMicro"] == 0
        assert totals["taxMicro"] == tax * unit
        assert totals["grossMicro"] == folio_model.consumed(model) * unit
        assert totals["netMicro"] + totals["taxMicro"] == totals["grossMicro"]
        assert totals["roundingMicro"] == -model["residual"] * unit
        assert sum(group["amountMicro"] for group in payload["taxBreakdown"]) == tax * unit
        assert sum(row["taxMicro"] for row in payload["lines"]) == tax * unit
        assert [paid["amountMicro"] for paid in payload["payments"]] == [
            paid["worth"] * unit for paid in model["paid"]
        ]
        assert closed.settlement.residual.minor_units == model["residual"]
        assert invoice.total.minor_units == sum(paid["worth"] for paid in model["paid"])

    @property
    def standing(self) -> list[dict[str, Any]]:
        return [one for one in self.model["charges"] if not one["void"]]


small = st.integers(1, 30)  # where a fraction of a cent is often a cent or none
prices = small | small | st.integers(1, 10**7)
which = st.integers(0, 6)
steps = st.one_of(
    st.tuples(st.just("charge"), st.sampled_from(["room", "minibar"]), prices, st.integers(0, 3)),
    st.tuples(st.just("charge"), st.just("room"), small, st.just(1)),
    st.tuples(st.just("charge"), st.just("transport"), prices, st.just(1)),
    st.tuples(st.just("void"), which),
    st.tuples(st.just("void"), which),
    st.tuples(st.just("adjust"), which, st.integers(-30, 30)),
    st.tuples(st.just("take_back"), which),
    st.tuples(st.just("pay"), st.integers(1, 60), st.booleans(), st.booleans()),
    st.tuples(st.just("settle"), st.integers(-1, 1), st.booleans()),
    st.tuples(st.just("close")),
    st.tuples(st.just("change_rounding")),
)


@pytest.mark.req("FOL-8", "FOL-4", "FOL-6", "TAX-3", "MON-6", "CLO-1")
@settings(max_examples=2_000)
@given(
    regime=st.sampled_from(sorted(folio_model.REGIMES)),
    rounding=st.sampled_from(["line", "invoice"]),
    where=st.integers(0, len(HOUSES) - 1),
    arrival=st.lists(small, min_size=1, max_size=3),
    story=st.lists(steps, min_size=4, max_size=14),
    leaves_in_euros=st.booleans(),
)
def test_balance_ledger_and_invoice_agree_with_a_plain_model_after_each_step(
    regime: str,
    rounding: str,
    where: int,
    arrival: list[int],
    story: list[tuple[Any, ...]],
    leaves_in_euros: bool,
) -> None:
    life = Life(regime, rounding, where)
    for price in arrival:
        life.charge("room", price, 1)
    for name, *how in story:
        getattr(life, name)(*how)
    life.settle(0, leaves_in_euros)
    life.close()
