"""How old debts are, as of any day: the same answer whenever a day that is over is asked for.

The clock is turned to days that are written here. The property is in Kabul and its day closes at
three in the morning, so that noon in UTC is well within a business date.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hotel import Hotel, House, usd
from tests.owing import company, invoiced, pay, settled, write_off
from tests.proofs import assert_refused
from tests.trust.books import broken

pytestmark = [pytest.mark.req("FOL-10", "REP-1"), pytest.mark.usefixtures("clock")]
BUCKETS = ("notDue", "days1To30", "days31To60", "days61To90", "over90")


@pytest.fixture
def clock(house: House) -> Iterator[None]:
    yield
    house.reset_clock()


def on(hotel: Hotel, day: str) -> None:
    hotel.house.turn_clock(f"{day}T12:00:00+00:00")


def cents(amount: dict[str, Any]) -> int:
    found: int = amount["amountMicro"] // 10_000
    return found


def ageing(hotel: Hotel, account: str, as_of: str) -> dict[str, Any]:
    answer = hotel.get(f"/company-accounts/{account}/ageing", asOf=as_of)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json
    return document


def figures(document: dict[str, Any]) -> tuple[list[int], int, int, int]:
    """The buckets, what is not invoiced, the credit and the balance, in cents."""
    account = document["account"]
    buckets = [cents(account["buckets"][name]) for name in BUCKETS]
    rest = (cents(account[name]) for name in ("notInvoiced", "unallocated", "balance"))
    return buckets, *rest  # type: ignore[return-value]


@pytest.fixture
def account(hotel: Hotel) -> str:
    """A company on thirty days, from January to June 2026.

    January 10: 110.00, due February 9. March 1: 220.00, due March 31; 50.00 paid, for January's.
    March 20: 33.00 settled, not invoiced. May 1: 500.00 paid: 60.00 and 220.00 go to invoices,
    220.00 are to its credit. May 20: 55.00, due June 19; June 1: 5.00 of them are written off.
    """
    on(hotel, "2026-01-10")
    account = company(hotel, termsDays=30)
    invoiced(hotel, account, 10_000)
    on(hotel, "2026-03-01")
    invoiced(hotel, account, 20_000)
    pay(hotel, account, usd(5_000))
    on(hotel, "2026-03-20")
    settled(hotel, account, 3_000)
    on(hotel, "2026-05-01")
    pay(hotel, account, usd(50_000))
    on(hotel, "2026-05-20")
    _, invoice = invoiced(hotel, account, 5_000)
    on(hotel, "2026-06-01")
    assert write_off(hotel, account, invoice, usd(500)).status_code == 201
    return account


WORKED = [
    ("2026-01-09", ([0, 0, 0, 0, 0], 0, 0, 0)),
    ("2026-01-10", ([11_000, 0, 0, 0, 0], 0, 0, 11_000)),
    ("2026-02-09", ([11_000, 0, 0, 0, 0], 0, 0, 11_000)),
    ("2026-02-10", ([0, 11_000, 0, 0, 0], 0, 0, 11_000)),
    ("2026-03-01", ([22_000, 6_000, 0, 0, 0], 0, 0, 28_000)),
    ("2026-03-11", ([22_000, 6_000, 0, 0, 0], 0, 0, 28_000)),
    ("2026-03-12", ([22_000, 0, 6_000, 0, 0], 0, 0, 28_000)),
    ("2026-03-20", ([22_000, 0, 6_000, 0, 0], 3_300, 0, 31_300)),
    ("2026-04-01", ([0, 22_000, 6_000, 0, 0], 3_300, 0, 31_300)),
    ("2026-04-10", ([0, 22_000, 6_000, 0, 0], 3_300, 0, 31_300)),
    ("2026-04-11", ([0, 22_000, 0, 6_000, 0], 3_300, 0, 31_300)),
    ("2026-05-01", ([0, 0, 0, 0, 0], 3_300, 22_000, -18_700)),
    ("2026-05-31", ([5_500, 0, 0, 0, 0], 3_300, 22_000, -13_200)),
    ("2026-06-20", ([0, 5_000, 0, 0, 0], 3_300, 22_000, -13_700)),
    ("2026-09-17", ([0, 0, 0, 5_000, 0], 3_300, 22_000, -13_700)),
    ("2026-09-18", ([0, 0, 0, 0, 5_000], 3_300, 22_000, -13_700)),
]


def test_answers_each_day_as_it_was(hotel: Hotel, account: str) -> None:
    """February 9 to March 11 are thirty days, to March 12 thirty-one, to April 11 sixty-one; from
    June 19 to September 17 are ninety."""
    found = [(day, figures(ageing(hotel, account, day))) for day, _ in WORKED]

    assert found == WORKED
    assert broken(hotel) == []


def test_a_day_that_is_over_is_answered_the_same_again(hotel: Hotel, account: str) -> None:
    days = ["2026-02-10", "2026-03-20", "2026-05-01"]
    before = [ageing(hotel, account, day) for day in days]

    on(hotel, "2026-07-01")
    invoiced(hotel, account, 7_000)
    pay(hotel, account, usd(1_000))

    assert [ageing(hotel, account, day) for day in days] == before


def test_names_what_is_open_item_by_item(hotel: Hotel, account: str) -> None:
    items = ageing(hotel, account, "2026-03-12")["items"]

    assert [(each["dueOn"], each["daysOverdue"], cents(each["open"])) for each in items] == [
        ("2026-02-09", 31, 6_000),
        ("2026-03-31", -19, 22_000),
    ]


def test_is_as_of_the_business_date_unless_asked(hotel: Hotel, account: str) -> None:
    on(hotel, "2026-06-20")

    answer = hotel.get(f"/company-accounts/{account}/ageing")

    assert answer.json == ageing(hotel, account, "2026-06-20")


def test_the_report_of_a_property_adds_up(hotel: Hotel, account: str) -> None:
    """A second company owes 11.00 since May 20, due at once; a third one nothing."""
    on(hotel, "2026-05-20")
    other = company(hotel, termsDays=0, company={"name": "Herat Trading"})
    invoiced(hotel, other, 1_000)
    company(hotel)
    asked = {"propertyId": str(hotel.property_id), "asOf": "2026-06-20"}

    answer = hotel.get("/reports/aged-receivables", **asked)

    assert answer.status_code == 200, answer.text
    found = {each["companyAccountId"]: each for each in answer.json["accounts"]}
    assert set(found) == {account, other}
    assert found[account] == ageing(hotel, account, "2026-06-20")["account"]
    assert cents(found[other]["buckets"]["days31To60"]) == 1_100
    (total,) = answer.json["totals"]
    assert [cents(total["buckets"][name]) for name in BUCKETS] == [0, 5_000, 1_100, 0, 0]
    assert (total["currency"], cents(total["balance"])) == ("USD", -13_700 + 1_100)


def test_the_report_is_a_table_for_a_spreadsheet(hotel: Hotel, account: str) -> None:
    """The sums stand apart from what they sum; a company that calls itself a formula is none."""
    on(hotel, "2026-05-20")
    other = company(hotel, termsDays=0, company={"name": "+Herat; =1+1"})
    invoiced(hotel, other, 1_000)
    asked = {"propertyId": str(hotel.property_id), "asOf": "2026-06-20"}

    answer = hotel.get("/reports/aged-receivables", headers={"Accept": "text/csv"}, **asked)

    assert answer.status_code == 200, answer.text
    assert (answer.mimetype, answer.headers["Vary"]) == ("text/csv", "Accept")
    named = 'attachment; filename="aged_receivables.csv"'
    assert answer.headers["Content-Disposition"] == named
    lines = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"), newline="")))
    said = {
        line["company_account_id"]: (line["company"], line["days_31_to_60"], line["balance"])
        for line in lines
        if line["record"] == "account"
    }
    assert said[other] == ("'+Herat; '=1+1", "11.00", "11.00")
    assert said[account][2] == "-137.00"
    (total,) = [line for line in lines if line["record"] == "total"]
    aged = ("not_due", "days_1_to_30", "days_31_to_60", "days_61_to_90", "over_90", "open")
    assert [total[name] for name in aged] == ["0.00", "50.00", "11.00", "0.00", "0.00", "61.00"]
    assert (total["currency"], total["balance"], total["company"]) == ("USD", "-126.00", "")


def test_the_report_is_a_page_and_a_pdf(hotel: Hotel, account: str) -> None:
    asked = {"propertyId": str(hotel.property_id), "asOf": "2026-06-20"}
    drawn = {
        form: hotel.get("/reports/aged-receivables", headers={"Accept": form}, **asked)
        for form in ("text/html", "application/pdf", "image/png")
    }

    assert b"Aged receivables" in drawn["text/html"].data
    assert "default-src 'none'" in drawn["text/html"].headers["Content-Security-Policy"]
    assert drawn["application/pdf"].data.startswith(b"%PDF-")
    assert_refused(drawn["image/png"], 406, "MELMASTOON.GENERAL.NOT_ACCEPTABLE")


def test_refuses_a_report_of_a_strange_property(hotel: Hotel) -> None:
    asked = {"propertyId": "7c1f0f0e-6f0b-4b8a-9d53-0a4f6e1f0a11"}

    assert_refused(hotel.get("/reports/aged-receivables", **asked), 404, "PROPERTY_UNKNOWN")


def stated(hotel: Hotel, account: str, first: str, last: str, **more: Any) -> Any:
    return hotel.get(f"/company-accounts/{account}/statement", first=first, last=last, **more)


def test_states_what_moved_and_what_is_open(hotel: Hotel, account: str) -> None:
    """March to May: 110.00, and 220.00 - 50.00 + 33.00 - 500.00 + 55.00 = -132.00."""
    answer = stated(hotel, account, "2026-03-01", "2026-05-31")

    assert answer.status_code == 200, answer.text
    document = answer.json
    moved = [
        (each["businessDate"], each["kind"], cents(each["amount"]), cents(each["balance"]))
        for each in document["entries"]
    ]
    assert cents(document["opening"]) == 11_000
    assert moved == [
        ("2026-03-01", "settlement", 22_000, 33_000),
        ("2026-03-01", "payment", -5_000, 28_000),
        ("2026-03-20", "settlement", 3_300, 31_300),
        ("2026-05-01", "payment", -50_000, -18_700),
        ("2026-05-20", "settlement", 5_500, -13_200),
    ]
    assert cents(document["closing"]) == -13_200
    numbers = [each["number"] is not None for each in document["entries"]]
    assert numbers == [True, False, False, False, True]
    assert [cents(each["open"]) for each in document["items"]] == [5_500]
    assert document["company"]["name"] == "Kabul Trading"


def test_a_statement_goes_on_where_the_one_before_ended(hotel: Hotel, account: str) -> None:
    first = stated(hotel, account, "2026-01-01", "2026-04-30").json
    second = stated(hotel, account, "2026-05-01", "2026-12-31").json

    assert cents(first["opening"]) == 0
    assert second["opening"] == first["closing"]
    assert cents(second["closing"]) == -13_700
    assert second["entries"][-1]["kind"] == "write_off"


def test_refuses_a_period_that_ends_before_it_begins(hotel: Hotel, account: str) -> None:
    answer = stated(hotel, account, "2026-05-31", "2026-05-30")

    assert_refused(answer, 422, "PERIOD_INVALID")


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_is_read_as_a_page_and_as_a_pdf(hotel: Hotel, account: str, language: str) -> None:
    """The figures of the JSON stand on both, in the words of the house's language."""
    from io import BytesIO

    from pypdf import PdfReader

    hotel.write_settings(language=language)
    period = (hotel, account, "2026-03-01", "2026-06-30")

    page = stated(*period, headers={"Accept": "text/html"})
    pdf = stated(*period, headers={"Accept": "application/pdf"})

    title = {"en": "Statement of account", "de": "Kontoauszug", "fr": "Relevé de compte"}[language]
    debt = {"en": "313.00", "de": "313,00", "fr": "313,00"}[language]
    text = "".join(sheet.extract_text() for sheet in PdfReader(BytesIO(pdf.data)).pages)
    for shown in (page.text, text):
        assert title in shown
        assert debt in shown
        assert "Kabul Trading" in shown
    assert "<script" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert pdf.headers["Content-Disposition"] == 'inline; filename="account_statement.pdf"'


def test_a_name_is_no_markup(hotel: Hotel) -> None:
    account = company(hotel, company={"name": "<b>Kabul</b> & Sons"})

    page = stated(hotel, account, "2026-03-01", "2026-06-30", headers={"Accept": "text/html"})

    assert "&lt;b&gt;Kabul&lt;/b&gt; &amp; Sons" in page.text
