"""Items, credits and what is shared out between them."""

from datetime import date
from typing import Any

import pytest

from common.domain.identifiers import CompanyAccountId, FolioId, InvoiceId
from common.domain.money import AmountNotPositive, CurrenciesDiffer, Currency, Money
from common.domain.receivable import (
    Receivable,
    ReceivableExceeded,
    ReceivableUnknown,
    Share,
    oldest_first,
    settled_by,
)
from tests.hotel import new_id

pytestmark = pytest.mark.req("FOL-10")
USD = Currency("USD")


def usd(cents: int) -> Money:
    return Money.of_minor_units(cents, USD)


def item(cents: int, due_on: date = date(2026, 3, 31), **more: Any) -> Receivable:
    given: dict[str, Any] = {
        "account_id": CompanyAccountId(new_id("cac")),
        "invoice_id": InvoiceId(new_id("inv")),
        "folio_id": FolioId(new_id("fol")),
        "amount": usd(cents),
        "open": usd(cents),
        "issued_on": date(2026, 3, 1),
        "due_on": due_on,
    }
    return Receivable(**{**given, **more})


class TestOldestFirst:
    def test_pays_what_is_due_first(self) -> None:
        """25.00 for 10.00 due in March, 20.00 in April, 5.00 in May: 10.00 and 15.00."""
        may, march, april = (
            item(500, date(2026, 5, 1)),
            item(1_000, date(2026, 3, 1)),
            item(2_000, date(2026, 4, 1)),
        )

        given = oldest_first([may, march, april], usd(2_500))

        assert given == (Share(march.invoice_id, usd(1_000)), Share(april.invoice_id, usd(1_500)))

    def test_among_equals_pays_what_was_invoiced_first(self) -> None:
        later = item(1_000, issued_on=date(2026, 3, 2))
        earlier = item(1_000, issued_on=date(2026, 3, 1))

        (given,) = oldest_first([later, earlier], usd(1_000))

        assert given.invoice_id == earlier.invoice_id

    def test_leaves_over_what_nothing_asks_for(self) -> None:
        found = item(1_000)

        assert oldest_first([found], usd(5_000)) == (Share(found.invoice_id, usd(1_000)),)
        assert oldest_first([], usd(5_000)) == ()
        assert oldest_first([found], usd(0)) == ()
        assert oldest_first([item(1_000, open=usd(0))], usd(5_000)) == ()


class TestSettling:
    def test_several_shares_of_an_item_count_together(self) -> None:
        found = item(1_000)
        wanted = [Share(found.invoice_id, usd(600)), Share(found.invoice_id, usd(400))]

        changed, total = settled_by([found], wanted)

        assert [each.open for each in changed] == [usd(0)]
        assert total == usd(1_000)

    def test_refuses_more_than_is_open_and_says_what_is(self) -> None:
        found = item(1_000)
        wanted = [Share(found.invoice_id, usd(600)), Share(found.invoice_id, usd(401))]

        with pytest.raises(ReceivableExceeded) as refused:
            settled_by([found], wanted)
        assert refused.value.extra["openMicro"] == 4_000_000

    def test_refuses_what_is_no_share(self) -> None:
        found = item(1_000)
        for cents in (0, -1):
            with pytest.raises(AmountNotPositive):
                settled_by([found], [Share(found.invoice_id, usd(cents))])
        with pytest.raises(ReceivableUnknown):
            settled_by([found], [Share(InvoiceId(new_id("inv")), usd(1))])
        euro = Share(found.invoice_id, Money.of_minor_units(1, Currency("EUR")))
        with pytest.raises(CurrenciesDiffer):
            settled_by([found], [euro])

    def test_none_at_all_changes_nothing(self) -> None:
        assert settled_by([item(1_000)], []) == ((), None)

    def test_opens_again_what_is_taken_back(self) -> None:
        assert item(1_000, open=usd(0)).less(usd(-1_000)).open == usd(1_000)
