"""What a co-signer may not come with: eight signatures, eight refusals, nothing changed (BEY-1).

Karim has counted 95.00 for the second time; the first count, of 90.00, was sent back.
"""

from collections.abc import Callable
from typing import Any

import jwt
import pytest

from tests.hotel import Hotel, usd
from tests.proofs import assert_books_are_right, assert_refused, state
from tests.security.forging import P256_ORDER, base64url, unbase64url
from tests.till import ACKNOWLEDGE, CLOSE, Till, by_pieces, counted

COUNT = [by_pieces("USD", (2_000, 4), (500, 3))]
OLDER = counted(usd(9_000))
TEN_YEARS = 10 * 365 * 24 * 3600


@pytest.fixture
def till(hotel: Hotel) -> Till:
    opened = Till.opened(hotel, usd(10_000))
    assert opened.initiate(count=OLDER).status_code == 200
    assert opened.send_back().status_code == 200
    assert opened.initiate(count=COUNT, number=2).status_code == 200
    return opened


def confirm(till: Till, **changed: Any) -> str:
    asked = {"sub": "laila", "scope": CLOSE, "context": till.context(COUNT, number=2)}
    return till.hotel.confirmation(**{**asked, **changed})


def resigned(till: Till, **changed: Any) -> str:
    """A good confirmation's claims, changed and signed again by the identity service."""
    claims = jwt.decode(confirm(till), options={"verify_signature": False})
    moved = {name: claims["iat"] + value for name, value in changed.items()}
    return till.hotel.house.identity.sign({**claims, **moved}, typ="step-up+jwt", algorithm="ES256")


def of_another_session(till: Till) -> str:
    other = Till.opened(till.hotel, usd(10_000))
    return confirm(till, context=other.context(COUNT, number=2))


def in_other_letters(till: Till) -> str:
    """The same signature in another spelling of base64, which many readers take for it."""
    token = confirm(till)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) ^ 1]


def used_before(till: Till) -> str:
    """The co-signer's own, of this very count, by which the drawer was closed."""
    token = confirm(till)
    assert till.close(count=COUNT, number=2, token=token).status_code == 200
    return token


Made = Callable[[Till], str]
REFUSED: dict[str, tuple[Made, dict[str, Any], int, str]] = {
    "the same person's": (
        lambda till: confirm(till, sub="karim"),
        {"by": "karim"},
        403,
        "BILLING.CASH_SAME_PERSON",
    ),
    "of another scope": (
        lambda till: confirm(till, scope=ACKNOWLEDGE),
        {},
        403,
        "IAM.STEP_UP_SCOPE",
    ),
    "of another session": (of_another_session, {}, 403, "IAM.STEP_UP_CONTEXT"),
    "of an older count": (
        lambda till: confirm(till, context=till.context(OLDER)),
        {"count": OLDER, "number": 1},
        409,
        "BILLING.CASH_COUNT_DIFFERS",
    ),
    "that has expired": (
        lambda till: resigned(till, iat=-301, exp=-1),
        {},
        403,
        "IAM.STEP_UP_EXPIRED",
    ),
    "that lasts for ten years": (
        lambda till: resigned(till, exp=TEN_YEARS),
        {},
        403,
        "IAM.STEP_UP_LIFETIME",
    ),
    "in other letters": (in_other_letters, {}, 403, "IAM.STEP_UP_MALFORMED"),
    "used before": (used_before, {}, 403, "IAM.STEP_UP_REPLAY"),
}


@pytest.mark.req("CASH-4", "BEY-1", "SEC-4")
@pytest.mark.parametrize("kind", REFUSED)
def test_refuses_a_signature(till: Till, kind: str) -> None:
    make, given, status, code = REFUSED[kind]
    token = make(till)
    before = state(till.hotel, without=("audit_entries",))

    answer = till.close(**{"count": COUNT, "number": 2, **given}, token=token)

    assert_refused(answer, status, f"MELMASTOON.{code}")
    assert state(till.hotel, without=("audit_entries",)) == before
    if kind != "used before":
        assert till.close(count=COUNT, number=2).status_code == 200, "a good one still does it"
    assert_books_are_right(till.hotel)


@pytest.mark.req("BEY-1")
def test_the_eight_refusals_differ() -> None:
    assert len({code for _, _, _, code in REFUSED.values()}) == len(REFUSED) == 8


@pytest.mark.req("CASH-4", "SEC-4")
def test_refuses_a_used_signature_however_it_is_encoded(till: Till) -> None:
    """ECDSA knows two signatures for one: what counts is the token's id, not its letters."""
    token = used_before(till)
    signed, _, signature = token.rpartition(".")
    raw = unbase64url(signature)
    s = int.from_bytes(raw[32:])
    other = f"{signed}.{base64url(raw[:32] + (P256_ORDER - s).to_bytes(32))}"

    answer = till.close(count=COUNT, number=2, token=other)

    assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_REPLAY")


@pytest.mark.req("CASH-4", "SEC-4")
def test_refuses_a_stolen_signature_of_another_supervisor(till: Till) -> None:
    stolen = confirm(till, sub="farid")

    answer = till.close(count=COUNT, number=2, token=stolen)

    assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_ACTOR")


@pytest.mark.req("BEY-1")
def test_one_piece_changed_breaks_both_signatures(till: Till) -> None:
    """A twenty for four fives: the same amount, and another count for either person."""
    swapped = [by_pieces("USD", (2_000, 3), (500, 7))]
    assert swapped[0]["amount"] == COUNT[0]["amount"]
    signature = confirm(till)

    co_signed = till.close(count=swapped, number=2, token=signature)
    till.send_back(number=2)
    mine = till.hotel.confirmation(
        "karim", "billing.cash_drawer.operate", till.context(COUNT, number=3)
    )
    counted_anew = till.initiate(count=swapped, number=3, token=mine)

    for answer in (co_signed, counted_anew):
        assert_refused(answer, 403, "MELMASTOON.IAM.STEP_UP_CONTEXT")


@pytest.mark.req("BEY-1", "CASH-4")
def test_a_signature_over_another_count_than_the_one_that_waits_closes_nothing(till: Till) -> None:
    """Signed and sent alike, and still not what the closing actor has signed."""
    swapped = [by_pieces("USD", (2_000, 3), (500, 7))]

    answer = till.close(count=swapped, number=2)

    assert_refused(answer, 409, "CASH_COUNT_DIFFERS")
