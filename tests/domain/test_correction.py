"""Void and adjustment: lines that name what they correct, and take back what was asked (FOL-6)."""

from datetime import date

import pytest

from common.domain.charge import (
    AdjustmentExceedsCharge,
    ChargeAlreadyVoided,
    ChargeUnknown,
)
from common.domain.folio import FolioAlreadyClosed
from common.domain.folio_line import Line
from common.domain.identifiers import ChargeId
from common.domain.invoice_payload import breakdown_of, rows_of
from common.domain.money import AmountNotInMinorUnits, AmountNotPositive, CurrenciesDiffer, Money
from tests.domain.front_desk import (
    EUR,
    MORNING,
    USD,
    Account,
    Desk,
    adjust_charge,
    figures,
    house,
    rule,
    series,
    settings_of,
    usd,
)


def per_invoice(*, inclusive: bool = False) -> Account:
    """A folio whose 10 % are rounded once an invoice."""
    ten = rule(percent=10, inclusive=inclusive)
    return Account(Desk(settings_of(ten, rounds_tax_per_invoice=True)))


def charged(account: Account, cents: int, **given: object) -> ChargeId:
    return account.charge(cents, **given).lines[0].charge_id


@pytest.mark.req("FOL-6")
class TestVoid:
    def test_reverses_the_charge_and_its_taxes(self):
        account = Account()
        voided = account.void(charged(account, 12000))
        assert figures(voided) == [("void", -12000), ("void", -1200)]
        assert account.balance == account.in_the_ledger() == 0
        assert account.in_the_ledger("revenue:room") == 0
        assert account.in_the_ledger("tax_payable:VAT") == 0

    def test_names_each_line_that_it_corrects_and_why(self):
        account = Account()
        charge_id = charged(account, 12000, external_reference="check-7")
        voided = account.void(charge_id)
        assert [line.corrects for line in voided.lines] == [line.id for line in account.lines[:2]]
        assert {line.reason for line in voided.lines} == {voided.reason} == {"posted twice"}
        assert {line.charge_id for line in voided.lines} == {charge_id}
        assert {line.external_reference for line in voided.lines} == {None}

    def test_deletes_nothing(self):
        account = Account()
        charge_id = charged(account, 12000)
        before = tuple(account.lines)
        account.void(charge_id)
        assert tuple(account.lines[:2]) == before

    def test_reverses_adjustments_too(self):
        """120.00 - 20.00 with 10 %: 110.00 stand and go."""
        account = Account()
        charge_id = charged(account, 12000)
        account.adjust(charge_id, -2000)
        assert account.balance == 11000
        assert figures(account.void(charge_id)) == [
            ("void", -12000),
            ("void", -1200),
            ("void", 2000),
            ("void", 200),
        ]
        assert account.balance == account.in_the_ledger() == 0

    def test_leaves_other_charges_alone(self):
        account = Account()
        first = charged(account, 12000)
        charged(account, 500, kind="minibar")
        account.void(first)
        assert account.balance == 550

    def test_falls_on_the_day_it_is_made(self):
        account = Account()
        charge_id = charged(account, 100, service_date=date(2026, 2, 27))
        line = account.void(charge_id).lines[0]
        assert (line.business_date, line.service_date) == (date(2026, 3, 2), date(2026, 2, 27))

    def test_is_refused_a_second_time(self):
        account = Account()
        charge_id = charged(account, 12000)
        account.void(charge_id)
        with pytest.raises(ChargeAlreadyVoided):
            account.void(charge_id)

    def test_is_refused_for_a_charge_that_the_folio_lacks(self):
        account = Account()
        with pytest.raises(ChargeUnknown):
            account.void(account.desk.new_id(ChargeId))

    def test_is_refused_on_a_closed_folio(self):
        account = Account()
        charge_id = charged(account, 100)
        account.pay(110)
        account.close()
        with pytest.raises(FolioAlreadyClosed):
            account.void(charge_id)


@pytest.mark.req("FOL-6", "TAX-3", "MON-2")
class TestVoidWhereTaxIsRoundedPerInvoice:
    def test_takes_back_an_inclusive_price_to_the_cent(self):
        """Two of 0.04 hold 0.3636 cents of tax each: posted 0, then 1 of 0.727. Without the first
        0.3636 stand, which is no cent: its void gives 0.03 and the cent of tax back, 0.04 in all.
        """
        account = per_invoice(inclusive=True)
        first = charged(account, 4)
        charged(account, 4)
        assert [line.amount.minor_units for line in account.lines] == [4, 0, 3, 1]
        assert figures(account.void(first)) == [("void", -3), ("void", -1)]
        assert account.balance == account.in_the_ledger() == 4

    def test_leaves_the_tax_of_what_stands(self):
        """0.04 and 10 % on top: 0.4 cents each, 0 and 1 posted. The one that is left owes none."""
        account = per_invoice()
        first = charged(account, 4)
        second = charged(account, 4)
        assert figures(account.void(first)) == [("void", -4), ("void", -1)]
        assert account.balance == 4
        assert figures(account.void(second)) == [("void", -4), ("void", 0)]
        assert account.balance == account.in_the_ledger() == 0

    def test_books_no_entry_for_a_tax_of_nothing(self):
        account = per_invoice()
        posted = account.charge(4)
        assert figures(posted) == [("charge", 4), ("tax", 0)]
        assert [entry.source for entry in posted.entries] == [posted.lines[0].id]
        voided = account.void(posted.lines[0].charge_id)
        assert [entry.source for entry in voided.entries] == [voided.lines[0].id]

    def test_keeps_whole_cents_in_every_line_and_base(self):
        account = per_invoice(inclusive=True)
        ids = [charged(account, cents) for cents in (4, 15, 7, 105)]
        for charge_id in ids[:3]:
            account.void(charge_id)
        for line in account.lines:
            assert line.amount == line.amount.in_minor_units()
            if line.tax:
                assert line.tax.amount == line.amount
                assert line.tax.base == line.tax.base.in_minor_units()

    def test_is_exact_also_when_the_tenant_changes_its_mind_in_between(self):
        """10 % on 0.05, per line: half a cent is 1. Then, per invoice, on 0.14: 1.4, in all 2.4: 1
        more. The first one void: 1.4 stand and are 1."""
        account = Account()
        first = charged(account, 5)
        account.desk.change(rounds_tax_per_invoice=True)
        charged(account, 14)
        assert [line.amount.minor_units for line in account.lines] == [5, 1, 14, 1]
        account.void(first)
        assert account.balance == 15

    def test_leaves_a_price_that_contains_the_tax_as_it_is(self):
        """A room for 4 cents with 10 % inside (0.36), a minibar of 4 cents with 10 % on top (0.4).

        In one sum they come to a cent, which the room would bear within its price and the minibar's
        void would take off the balance: 3 cents for a room of 4, and rows that do not add up.
        """
        inside = rule(percent=10, inclusive=True, charge_kinds=frozenset({"room"}))
        on_top = rule(percent=10, charge_kinds=frozenset({"minibar"}))
        account = Account(Desk(settings_of(inside, on_top, rounds_tax_per_invoice=True)))
        minibar = charged(account, 4, kind="minibar")
        charged(account, 4)

        account.void(minibar)

        assert account.balance == account.in_the_ledger() == 4
        (row,) = rows_of(account.lines)
        assert (row.taxation.price, row.taxation.gross) == (usd(4), usd(4))
        account.pay(4)
        assert account.invoice(account.close(), series()).total == usd(4)


@pytest.mark.req("FOL-6")
class TestAdjustment:
    def test_adds_a_signed_line_taxed_at_the_rate_of_the_charge(self):
        """20.00 less, and 10 % of it."""
        account = Account()
        charge_id = charged(account, 12000)
        adjusted = account.adjust(charge_id, -2000)
        assert figures(adjusted) == [("adjustment", -2000), ("tax", -200)]
        line = adjusted.lines[0]
        assert (line.corrects, line.charge_id, line.kind) == (charge_id, charge_id, "room")
        assert (line.reason, line.description) == ("cold water", {"en": "Cold water"})
        assert (line.quantity, line.unit_amount) == (None, None)
        assert account.balance == account.in_the_ledger() == 11000

    def test_is_in_the_terms_of_the_price(self):
        """11.00 of a price that contains 10 %: 10.00 and 1.00."""
        account = Account(Desk(settings_of(rule(percent=10, inclusive=True))))
        adjusted = account.adjust(charged(account, 11000), -1100)
        assert figures(adjusted) == [("adjustment", -1000), ("tax", -100)]

    def test_bears_no_tax_by_the_night(self):
        """2.00 a night and 10 %: the nights are as many as before."""
        account = Account(Desk(settings_of(rule(percent=10), rule("CITY", per_night=usd(200)))))
        adjusted = account.adjust(charged(account, 12000), -2000)
        assert figures(adjusted) == [("adjustment", -2000), ("tax", -200)]

    def test_bears_no_tax_where_the_charge_bears_one_by_the_night_only(self):
        account = Account(Desk(settings_of(rule("CITY", per_night=usd(200)))))
        adjusted = account.adjust(charged(account, 12000), -2000)
        assert figures(adjusted) == [("adjustment", -2000)]
        assert adjusted.lines[0].untaxed is None

    def test_moves_a_tax_on_a_tax_by_its_own_part_only(self):
        """10 % on the price and the city tax of 2.00: 12.20 on 120.00. 20.00 less are 2.00 less."""
        city = rule("CITY", per_night=usd(200))
        account = Account(Desk(settings_of(city, rule(percent=10, order=1))))
        charge_id = charged(account, 12000)
        assert [line.amount.minor_units for line in account.lines] == [12000, 200, 1220]
        assert figures(account.adjust(charge_id, -2000)) == [("adjustment", -2000), ("tax", -200)]

    def test_keeps_the_rate_of_the_charge_whatever_the_rules_say_now(self):
        """The charge bore 10 %; the tenant's rule has been corrected to 19 % since."""
        account = Account()
        charge_id = charged(account, 12000)
        account.desk.change(tax_rules=(rule(percent=19),))
        adjusted = account.adjust(charge_id, -2000)
        assert figures(adjusted) == [("adjustment", -2000), ("tax", -200)]
        assert adjusted.lines[0].settings_version == 1

    def test_gives_back_no_tax_that_was_never_charged(self):
        hotel = house(untaxed_until=MORNING.replace(hour=7))
        account = Account(Desk(settings_of(hotel=hotel)))
        charge_id = charged(account, 12000)
        account.desk.change(tax_rules=(rule(percent=10),))
        adjusted = account.adjust(charge_id, -2000)
        assert figures(adjusted) == [("adjustment", -2000)]
        assert adjusted.lines[0].untaxed == "allowed"

    def test_may_add(self):
        account = Account()
        account.adjust(charged(account, 12000), 500)
        assert account.balance == 13750

    def test_may_take_all_but_not_a_cent_more(self):
        account = Account()
        charge_id = charged(account, 12000)
        account.adjust(charge_id, -2000)
        with pytest.raises(AdjustmentExceedsCharge) as refused:
            account.adjust(charge_id, -10001)
        assert refused.value.extra == {"remainingMicro": 100_000_000}
        account.adjust(charge_id, -10000)
        assert account.balance == account.in_the_ledger() == 0

    @pytest.mark.req("TAX-3")
    def test_may_take_all_of_a_price_whose_net_was_rounded_down(self):
        """Three of 0.04 with 10 % inside, per invoice: 0.3636, 0.727, 1.09 cents, posted 0, 1, 0.
        The second earns 0.03. Its 0.04 back leave 0.727, still a cent: all of it net."""
        account = per_invoice(inclusive=True)
        charged(account, 4)
        second = charged(account, 4)
        charged(account, 4)
        assert figures(account.adjust(second, -4)) == [("adjustment", -4), ("tax", 0)]
        assert account.balance == 8

    def test_of_nothing_is_refused(self):
        account = Account()
        with pytest.raises(AmountNotPositive):
            account.adjust(charged(account, 100), 0)

    @pytest.mark.parametrize(
        ("amount", "refusal"),
        [
            (Money.of_minor_units(-1, EUR), CurrenciesDiffer),
            (Money(-12_345, USD), AmountNotInMinorUnits),
        ],
    )
    def test_refuses_other_money(self, amount: Money, refusal: type[Exception]):
        account = Account()
        account.charge(100)
        lines, desk = account.lines, account.desk
        with pytest.raises(refusal):
            account.do(lambda folio: adjust_charge(folio, lines, amount, {}, "why", desk))

    def test_of_a_voided_charge_is_refused(self):
        account = Account()
        charge_id = charged(account, 100)
        account.void(charge_id)
        with pytest.raises(ChargeAlreadyVoided):
            account.adjust(charge_id, -1)

    def test_is_refused_for_a_charge_that_the_folio_lacks(self):
        account = Account()
        with pytest.raises(ChargeUnknown):
            account.adjust(account.desk.new_id(ChargeId), -1)

    def test_is_refused_on_a_closed_folio(self):
        account = Account()
        charge_id = charged(account, 100)
        account.pay(110)
        account.close()
        with pytest.raises(FolioAlreadyClosed):
            account.adjust(charge_id, -1)


@pytest.mark.req("TAX-3")
class TestRowsOfADocument:
    def test_bear_the_tax_of_what_stands(self):
        """The void of the first 0.04 took the cent of tax that the second had posted, so the row of
        the second bears none: 0.04 net, 0.04 gross, as the folio's balance."""
        account = per_invoice(inclusive=True)
        first = charged(account, 4)
        charged(account, 4)
        account.void(first)
        (row,) = rows_of(account.lines)
        assert (row.taxation.net, row.taxation.gross) == (usd(4), usd(4))
        (group,) = breakdown_of([row])
        assert (group.base, group.tax) == (usd(4), usd(0))

    def test_are_the_same_in_whichever_order_the_lines_come(self):
        account = per_invoice()
        account.adjust(charged(account, 105), -5)
        charged(account, 33)
        assert rows_of(reversed(account.lines)) == rows_of(account.lines)

    def test_show_a_void_of_what_is_on_another_document(self):
        account = Account()
        charge_id = charged(account, 12000)
        elsewhere: list[Line] = list(account.lines)
        account.void(charge_id)
        (row,) = rows_of(line for line in account.lines if line not in elsewhere)
        assert (row.posting.line.type, row.taxation.gross) == ("void", usd(-13200))
