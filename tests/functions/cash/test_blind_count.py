"""Nobody is told what should be in the drawer before both have signed (CASH-3, BEY-1).

The figures are such that each is itself and no other's: 143.00 of float, 37.17 from guests, of
which 6.43 went back, 5.31 paid out, 12.29 dropped, so that 156.14 are due; 153.57 are counted, 2.57
are short.
"""

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from common.local.functions import http_declarations
from common.runtime.declaration import HttpDeclaration
from tests.hotel import Hotel, charge, new_id, usd
from tests.refunding import refund
from tests.till import Till, counted, over_short

DUE, VARIANCE = 156_140_000, 2_570_000
FLOAT, PAID_OUT, DROPPED = 143_000_000, 5_310_000, 12_290_000
SECRETS = {"due": DUE, "variance": VARIANCE, "float": FLOAT, "out": PAID_OUT, "drop": DROPPED}
COUNTED = usd(15_357)
REACHED = {"show_statement", "show_cash_report", "show_folio", "show_session", "list_sessions"}
"""Those that would have it to tell are asked so that they answer."""
READING = [each for each in http_declarations() if each.method == "GET" and each.scope is not None]


@pytest.fixture
def till(hotel: Hotel) -> Till:
    opened = Till.opened(hotel, usd(14_300))
    folio = hotel.open_folio()
    hotel.post(f"/folios/{folio}/charges", charge("minibar", 3_379))  # and 3.38: 37.17
    paid = opened.pay(usd(3_717), folio, allowCredit=False)
    payment = paid.json["lines"][0]["lineId"]
    assert refund(hotel, folio, payment, usd(643), opened.karim).status_code == 201
    assert opened.move("paid_out", usd(531)).status_code == 201
    assert opened.move("drop", usd(1_229)).status_code == 201
    return opened


def asked_everywhere(till: Till) -> Iterator[tuple[str, str]]:
    """Every answer that a person with every right can get by asking, as both persons."""
    ids = {
        "folio_id": [row[0] for row in till.hotel.rows("SELECT id FROM {s}.folios")],
        "invoice_id": [new_id("inv")],
        "credit_note_id": [new_id("cn")],
        "account_id": [new_id("cac")],
        "customer_id": [new_id("cus")],
        "payment_intent_id": [new_id("pin")],
        "review_id": [new_id("rvw")],
        "drawer_id": [till.drawer],
        "session_id": [till.session],
    }
    asked = {
        "show_cash_report": {
            "propertyId": str(till.hotel.property_id),
            "businessDate": till.shown()["businessDate"],
        },
        "export_invoices": {"first": "2020-01-01", "last": "2099-12-31", "format": "csv"},
    }
    for declaration in READING:
        for path in _paths(declaration, ids):
            for who in (till.karim, till.laila):
                query = asked.get(declaration.name, {})
                answer = till.hotel.get(path, token=till.hotel.token(sub=who), **query)
                assert answer.status_code == 200 or declaration.name not in REACHED, answer.text
                yield f"{who}: {path}", f"{answer.text} {dict(answer.headers)}"


def _paths(declaration: HttpDeclaration, ids: dict[str, list[str]]) -> Iterator[str]:
    names = [part[1:-1] for part in declaration.path.split("/") if part.startswith("{")]
    for each in product(*(ids.get(name, [new_id("none")]) for name in names)):
        yield declaration.path.format(**dict(zip(names, each, strict=True)))


def told_of_it(text: str) -> list[str]:
    """The secrets that a text holds, in micro units or as people write them.

    Not within a longer number or an id, nor as the seconds of a time.
    """
    found = []
    for name, micro in SECRETS.items():
        whole, rest = divmod(micro // 10_000, 100)
        figures = rf"(?<![0-9A-Za-z.]){micro}(?![0-9A-Za-z])"
        words = rf"(?<![0-9A-Za-z.:]){whole}\.{rest:02}(?![0-9])"
        if re.search(f"{figures}|{words}", text):
            found.append(name)
    return found


@pytest.mark.req("CASH-3", "BEY-1")
def test_no_question_is_answered_with_it_before_both_have_signed(till: Till) -> None:
    """Asked at every place that answers, while the drawer is open and while its count waits."""
    answers = dict(asked_everywhere(till))
    assert len(answers) >= 2 * len(READING)
    waiting = till.initiate(COUNTED)
    answers["the count"] = waiting.text
    answers |= {f"waiting, {place}": text for place, text in asked_everywhere(till)}

    told = {place: told_of_it(text) for place, text in answers.items()}

    assert {place: found for place, found in told.items() if found} == {}
    assert COUNTED["amountMicro"] in [p["amount"]["amountMicro"] for p in waiting.json["count"]]


@pytest.mark.req("CASH-3", "BEY-1")
def test_no_event_log_or_audit_entry_tells_it_either(
    till: Till, capsys: pytest.CaptureFixture[str]
) -> None:
    till.initiate(COUNTED)
    dict(asked_everywhere(till))

    audit = till.hotel.rows("SELECT detail, reason FROM {s}.audit_entries")
    everything = json.dumps([till.hotel.events(), audit]) + capsys.readouterr().out

    assert told_of_it(everything) == []


@pytest.mark.req("CASH-3", "BEY-1")
def test_no_refusal_tells_it(till: Till) -> None:
    """Whatever is tried on the drawer while it is open, and while its count waits."""
    refusals: list[Any] = [
        till.move("drop", usd(0)),
        till.close(COUNTED),
        till.send_back(),
        till.initiate(COUNTED, number=7),
    ]
    till.initiate(COUNTED)
    refusals += [
        till.move("drop", usd(1)),
        till.initiate(COUNTED, number=2),
        till.close(COUNTED, by=till.karim),
        till.close(usd(15_358)),
        till.acknowledge(),
        till.recount(COUNTED, by=till.laila),
        till.pay(usd(1)),
    ]

    assert [each.status_code for each in refusals] == [422, *[409] * 5, 403, *[409] * 4]
    assert told_of_it(" ".join(each.text for each in refusals)) == []


@pytest.mark.req("CASH-3")
def test_a_count_that_was_sent_back_is_made_again_as_blind_as_the_first(till: Till) -> None:
    till.initiate(COUNTED)

    returned = till.send_back()

    assert told_of_it(returned.text) == []
    assert returned.json["count"] is None
    assert told_of_it(json.dumps(till.shown())) == []


@pytest.mark.req("CASH-3", "CASH-2")
def test_is_told_to_both_when_both_have_signed(till: Till) -> None:
    till.initiate(COUNTED)

    closed = till.close(COUNTED)

    assert told_of_it(closed.text) == ["due", "variance"]
    for who in (till.karim, till.laila):
        shown = till.shown(who)
        assert shown["results"] == closed.json["results"]
        assert [(each["kind"], each["amount"]) for each in shown["movements"]] == [
            ("float", usd(14_300)),
            ("paid_out", usd(531)),
            ("drop", usd(1_229)),
            ("short", usd(257)),
            ("turned_in", COUNTED),
        ]
    assert over_short(till.hotel)[0][2] == VARIANCE


@pytest.mark.req("CASH-3", "CASH-2")
def test_a_tenant_may_choose_to_see(hotel: Hotel) -> None:
    """With `blindCount` off, what is due and what moved stands there all the time."""
    hotel.write_settings(blindCount=False)
    till = Till.opened(hotel, usd(14_300))
    till.move("drop", usd(300))

    shown = till.shown()
    (listed,) = hotel.get("/cash-sessions", status="open").json["items"]
    till.initiate(usd(13_900))
    waiting = till.shown()

    assert shown["expected"] == listed["expected"] == [usd(14_000)]
    assert [each["kind"] for each in shown["movements"]] == ["float", "drop"]
    assert waiting["results"] == [
        {"expected": usd(14_000), "counted": usd(13_900), "variance": usd(-100)}
    ]


@pytest.mark.req("CASH-3")
def test_a_drawer_in_which_nothing_moved_is_as_blind(hotel: Hotel) -> None:
    """What it was opened with is what should be in it."""
    till = Till.opened(hotel, usd(14_300))

    everything = " ".join(text for _, text in asked_everywhere(till))

    assert told_of_it(everything) == []
    till.initiate(count=counted(usd(14_299)))
    assert told_of_it(json.dumps(till.shown(till.laila))) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"amountMicro":156140000}', ["due"]),
        ("156140000", ["due"]),
        ("there are 2.57 USD missing", ["variance"]),
        ("at 11:38:12.29 and 12.291, 3156140000, cds_5310000X", []),
    ],
)
def test_a_secret_is_found_where_it_is_one(text: str, found: list[str]) -> None:
    assert told_of_it(text) == found
