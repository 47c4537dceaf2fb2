"""The platform's invoices bear tax: as it is quoted, charged and declared (SUB-5)."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from werkzeug.test import TestResponse

from common.local.documents import LINKS_PATH
from tests.buying import card
from tests.charging import collect
from tests.hotel import Hotel, usd
from tests.platform_taxing import SELLER, nobody_sells, publish, rate, rules, settle_in
from tests.proofs import assert_books_are_right, assert_refused, state, told
from tests.subscribing import READING, change, cycle, invoices, preview, shown, staff, subscribed
from tests.together import at_once
from tests.trust.books import broken

pytestmark = pytest.mark.req("SUB-5")
Clock = Callable[[str], None]


@pytest.fixture(autouse=True)
def rules_are_taken_away(hotel: Hotel) -> Iterator[None]:
    nobody_sells(hotel.house)
    yield
    nobody_sells(hotel.house)


def fetched(hotel: Hotel, location: str) -> bytes:
    """Follow a link to the laptop's store."""
    wiring = hotel.house.wiring
    prefix = wiring.public_url + LINKS_PATH + "/"
    assert location.startswith(prefix)
    documents: Any = wiring.documents
    return bytes(documents.open_link(location[len(prefix) :]))


def declared(hotel: Hotel, quarter: str, **more: Any) -> TestResponse:
    token = hotel.token(READING)
    return hotel.get(f"/subscription-invoices/one-stop-shop?quarter={quarter}", token=token, **more)


def rows(hotel: Hotel, quarter: str) -> list[list[Any]]:
    """Of each row: country, percent, and net and tax in cents."""
    answer = declared(hotel, quarter)
    assert answer.status_code == 200, answer.text
    return [
        [
            each["country"],
            each["ratePpm"] // 10_000,
            *(each[name]["amountMicro"] // 10_000 for name in ("net", "tax")),
        ]
        for each in answer.json["items"]
    ]


def test_without_a_seller_an_invoice_has_no_tax_and_says_why(hotel: Hotel) -> None:
    bill = subscribed(hotel)["invoice"]["bill"]

    assert (bill["net"], bill["total"]) == (usd(2_900), usd(2_900))
    assert (bill["tax"]["treatment"], bill["tax"]["amount"]) == ("no_seller", usd(0))
    assert "named no seller" in bill["tax"]["note"]


@pytest.mark.req("BEY-5")
def test_what_is_quoted_declared_and_charged_has_its_tax(hotel: Hotel, clock: Clock) -> None:
    """A hotel in Paris without a valid number: 20 % of France, through the one-stop shop.

    29.00 are 34.80. After ten of thirty days Team: 46.67 more, and 9.33 on that. Paid and back: all
    of it is a credit, which pays 34.80 of the next period, so that 21.20 of 56.00 are left.
    """
    clock("2026-04-01T00:00:30+00:00")
    assert publish(hotel).status_code == 201
    settle_in(hotel, "FR", "FR41303265045")

    invoice = subscribed(hotel, paymentMethodId=card(hotel))["invoice"]

    assert (invoice["bill"]["tax"]["amount"], invoice["bill"]["due"]) == (usd(580), usd(3_480))
    payload = json.loads(invoice["payload"])
    assert payload["issuer"] == SELLER
    assert payload["tax"]["note"].startswith("VAT of the customer's state")
    assert (payload["tax"]["country"], payload["tax"]["ratePpm"]) == ("FR", 200_000)
    assert shown(hotel)["nextInvoice"]["due"] == usd(3_480)
    collect(hotel)
    charged = hotel.house.sql(
        "SELECT amount_micro FROM billing_central.subscription_payments WHERE tenant_id = :t",
        t=hotel.tenant_id,
    )
    assert charged == [[34_800_000]]

    clock("2026-04-11T00:00:30+00:00")
    quoted = preview(hotel, plan="team").json
    changed = change(hotel, plan="team", quoteToken=quoted["quoteToken"]).json["invoice"]["bill"]
    assert changed == quoted["bill"]
    assert (changed["net"], changed["due"]) == (usd(4_667), usd(5_600))
    collect(hotel)
    back = change(hotel, plan="pro").json["invoice"]["bill"]
    assert (back["tax"]["amount"], back["creditLeft"]) == (usd(-933), usd(5_600))
    assert rows(hotel, "2026-Q2") == [["FR", 20, 2_900, 580]]
    clock("2026-05-01T00:01:00+00:00")
    assert cycle(hotel).json["invoice"]["bill"]["due"] == usd(0)
    assert shown(hotel)["subscription"]["credit"] == usd(2_120)
    assert invoices(hotel)[-1][2:] == [3_480, 0]
    assert rows(hotel, "2026-Q2") == [["FR", 20, 5_800, 1_160]]
    assert rows(hotel, "2026-Q3") == []
    assert_books_are_right(hotel)
    assert broken(hotel) == []


def test_a_valid_number_of_another_state_is_charged_no_tax(hotel: Hotel, clock: Clock) -> None:
    """A number that comes on the way counts from the next period on: what was billed with tax is
    given back with it. 29.00 to 0.00 at once: 29.00 and 5.80 are a credit."""
    clock("2026-04-01T00:00:30+00:00")
    publish(hotel)
    settle_in(hotel, "FR")
    subscribed(hotel)
    settle_in(hotel, "FR", "FR 40 303265045")

    back = change(hotel, plan="free").json["invoice"]["bill"]
    following = shown(hotel)["nextInvoice"]["tax"]

    assert (back["tax"]["treatment"], back["creditLeft"]) == ("one_stop_shop", usd(3_480))
    assert (following["treatment"], following["customerVatId"]) == (
        "reverse_charge",
        "FR40303265045",
    )
    assert "customer owes the VAT" in following["note"]
    assert rows(hotel, "2026-Q2") == [["FR", 20, 0, 0]]
    assert broken(hotel) == []


def test_another_version_is_in_force_from_its_instant_on(hotel: Hotel, clock: Clock) -> None:
    """A hotel in Hamburg: 19 % until May, 16 % behind that; the period of April stays at 19 %."""
    clock("2026-04-01T00:00:30+00:00")
    first = publish(hotel, rates=[rate("DE", 190_000)], oneStopShop=None)
    second = publish(
        hotel,
        rates=[rate("DE", 160_000)],
        oneStopShop=None,
        inForceFrom="2026-05-01T00:00:00Z",
    )
    assert [each.json["rulesNumber"] for each in (first, second)] == [1, 2]
    listed = hotel.get("/platform/tax-rules", token=hotel.token(READING)).json["items"]
    assert listed == [each.json for each in (second, first)]
    settle_in(hotel, "DE")
    assert subscribed(hotel)["invoice"]["bill"]["due"] == usd(3_451)
    assert told(hotel).count("platform_tax_rules.published") == 2

    clock("2026-05-01T00:01:00+00:00")
    assert cycle(hotel).json["invoice"]["bill"]["due"] == usd(3_364)
    assert rows(hotel, "2026-Q2") == []
    assert broken(hotel) == []


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"rates": [rate("DE", 190_000)]}, 422, "PLATFORM_TAX_RULES_INVALID"),
        ({"seller": {**SELLER, "taxId": "DE136695977"}}, 422, "PLATFORM_TAX_RULES_INVALID"),
        ({"inForceFrom": "2020-01-01T00:00:00Z"}, 422, "PLATFORM_TAX_RULES_INVALID"),
    ],
)
def test_refuses_rules_that_leave_something_open(
    hotel: Hotel, wrong: dict[str, Any], status: int, code: str
) -> None:
    before = state(hotel)

    assert_refused(publish(hotel, **wrong), status, code)

    assert state(hotel) == before


def test_a_retry_publishes_no_second_version(hotel: Hotel) -> None:
    body = rules()
    known = staff(hotel, "platform_tax_rules.publish", body, office=hotel.tenant_id)
    sent, key = {**body, "stepUpToken": known["stepUpToken"]}, "rules-once"

    first, again = (
        hotel.post("/platform/tax-rules", sent, key=key, token=known["token"]) for _ in range(2)
    )

    assert (first.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert told(hotel).count("platform_tax_rules.published") == 1


def test_versions_published_at_once_follow_one_another(hotel: Hotel) -> None:
    answers = at_once([partial(publish, hotel)] * 3)

    assert Counter(answer.status_code for answer in answers) == {201: 3}
    assert sorted(answer.json["rulesNumber"] for answer in answers) == [1, 2, 3]


def test_what_is_declared_is_the_platforms_and_of_one_quarter(hotel: Hotel) -> None:
    assert declared(hotel, "2026-Q5").status_code in {400, 422}
    own = hotel.get(
        "/subscription-invoices/one-stop-shop?quarter=2026-Q1",
        token=hotel.token("subscription.read"),
    )
    assert own.status_code == 403


@pytest.mark.req("INV-4")
def test_an_invoice_is_drawn_once_and_says_what_its_payload_says(hotel: Hotel) -> None:
    """As often as it is asked for: the same file, dated and numbered as the invoice is."""
    publish(hotel)
    settle_in(hotel, "FR", "FR40303265045")
    invoice = subscribed(hotel)["invoice"]
    path = f"/subscription-invoices/{invoice['invoiceId']}/pdf"

    files = []
    for _ in range(2):
        answer = hotel.get(path, token=hotel.token("subscription.read"))
        assert answer.status_code == 302, answer.text
        files.append(fetched(hotel, answer.headers["Location"]))

    assert files[0] == files[1]
    read = PdfReader(BytesIO(files[0]))
    text = " ".join(read.pages[0].extract_text().split())
    for said in (
        invoice["number"],
        invoice["payloadSha256"],
        "Melmastoon GmbH",
        "FR40303265045",
        "Reverse charge: the customer owes the VAT",
        "Subscription fee (pro, version 1, 1 seat)",
        "29.00",
    ):
        assert said in text, text
    metadata = read.metadata
    assert metadata is not None
    assert metadata.title == f"Invoice {invoice['number']}"


def test_another_tenants_invoice_has_no_pdf_here(hotel: Hotel) -> None:
    other = hotel.house.new_hotel()
    invoice = subscribed(other)["invoice"]["invoiceId"]

    answer = hotel.get(
        f"/subscription-invoices/{invoice}/pdf", token=hotel.token("subscription.read")
    )

    assert_refused(answer, 404, "SUBSCRIPTION_INVOICE_UNKNOWN")
