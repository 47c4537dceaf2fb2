"""Fuzz of tokens at the door: whatever one says, however it is spelled, only a good one passes.

Tokens go over HTTP into the real edge, for a command that posts a charge or writes one off. What is
a good token is said here once more, in plain words; every other one is a refusal of the caller's,
never a failure of ours, and has no effect at all (SEC-1, SEC-4, REL-7).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import Client, TestResponse

from common.domain.canonical import digest
from common.local.gateway import Gateway
from common.local.identity import LocalIdentity
from tests.hotel import Hotel, House, charge
from tests.security import forging
from tests.security.answers import is_problem
from tests.security.bad_tokens import CORPUS
from tests.security.books import books_of
from tests.security.forging import MISSING, Forge, T, spelled
from tests.security.gated import SCOPE, declaration, write_off
from tests.trust.races.stage import StandingClock

FIXED = settings(
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
WRITE = "billing.folio.write"
LEEWAY, DAY, CONFIRMED_FOR = 10, 86_400, 300
VISIBLE = re.compile(r"[!-~]{1,255}")


@dataclass
class Door:
    """A hotel at which tokens are tried out, and the forger who holds the issuer's own keys."""

    hotel: Hotel
    forge: Forge
    gate: Client
    folio: str = ""
    charge: str = ""
    posted: int = 0
    written_off: int = 0
    used: list[str] = field(default_factory=list)

    @property
    def good(self) -> dict[str, Any]:
        return self.forge.good

    def post(self, token: str) -> TestResponse:
        """Post a charge with an access token."""
        headers = {"Authorization": f"Bearer {token}"}
        answer = self.hotel.post(
            f"/folios/{self.folio}/charges", charge("minibar", 100), token=None, headers=headers
        )
        self.posted += answer.status_code == 201
        return answer

    def new_charge(self) -> None:
        """The next charge that may be written off."""
        self.charge = self.post(self.forge.claims()).json["lines"][0]["lineId"]

    def confirmation(self) -> dict[str, Any]:
        """What a good confirmation of writing that charge off says."""
        context = {"tenant": str(self.hotel.tenant_id), "charge": self.charge}
        return {
            "iss": forging.ISSUER,
            "aud": "billing-service",
            "sub": self.good["sub"],
            "tenantId": self.good["tenantId"],
            "scope": SCOPE,
            "ctx": digest(context).hex(),
            "jti": f"jti-{uuid4()}",
            "nonce": f"nonce-{uuid4()}",
            "assertionHash": "0" * 64,
            "method": "totp",
            "iat": T,
            "exp": T + CONFIRMED_FOR,
        }

    def write_off(self, confirmation: Any) -> TestResponse:
        """Write the charge off with a confirmation."""
        answer = self.gate.post(
            f"/api/v1/test/folios/{self.folio}/charges/{self.charge}/write-off",
            json={"reason": "Broken", "stepUpToken": confirmation},
            headers={
                "Authorization": f"Bearer {self.forge.claims()}",
                "Idempotency-Key": str(uuid4()),
            },
        )
        if answer.status_code == 201:
            self.written_off += 1
            self.new_charge()
        return answer

    def check(self) -> None:
        """Every effect has its good token; nothing else has had one."""
        rows = self.hotel.rows(
            "SELECT count(*) FILTER (WHERE type = 'charge'),"
            " count(*) FILTER (WHERE type = 'void' AND tax IS NULL) FROM {s}.folio_lines"
        )
        assert rows == [[self.posted, self.written_off]]


@pytest.fixture(scope="module")
def door(house: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder, clock = tmp_path_factory.mktemp("keys"), StandingClock()
    identity = LocalIdentity(folder, issuer=forging.ISSUER, clock=clock.now)
    instance = house.beside(
        powers={"clock": clock},
        identity=identity,
        rate_limits=False,
        token_issuer=forging.ISSUER,
    )
    hotel = replace(house.new_hotel(), house=instance)
    good = {
        **forging.GOOD,
        "tenantId": str(hotel.tenant_id),
        "propertyIds": [str(hotel.property_id)],
        "scopes": [WRITE, SCOPE],
    }
    forge = Forge(identity, good)
    found = Door(hotel, forge, Client(Gateway(instance.wiring, [declaration(write_off)])))
    opening = {"propertyId": str(hotel.property_id), "guest": {"name": "A. Guest"}}
    headers = {"Authorization": f"Bearer {forge.claims()}"}
    found.folio = hotel.post("/folios", opening, token=None, headers=headers).json["folioId"]
    found.new_charge()
    yield found
    instance.close()


def refused(answer: TestResponse, *statuses: int) -> None:
    """A problem document that a client can act on, and that repeats nothing of the token."""
    is_problem(answer, *statuses)
    assert forging.SECRET not in answer.text


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(T - 15, T + 15)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6)
    | st.sampled_from(["", " ", "*", "\x00", "\ud800", "x" * 300])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)
TIMES = st.integers(T - 12, T + 12) | st.integers(T + DAY - 12, T + DAY + 12)


def is_second(value: object) -> bool:
    return type(value) is int and 0 <= value < 253_402_300_800


def is_text(value: object, form: re.Pattern[str] = VISIBLE) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def is_uuid(value: object) -> bool:
    return is_text(value, re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"))


def in_time(claims: dict[str, Any], lifetime: int, ahead: int, behind: int) -> bool:
    """From `iat` (and `nbf`) on, before `exp`, for no longer than a token may live."""
    issued, end = claims["iat"], claims["exp"]
    first = issued if claims["nbf"] is MISSING else claims["nbf"]
    if not (is_second(issued) and is_second(end) and is_second(first)):
        return False
    lives = issued < end <= issued + lifetime
    return lives and max(issued, first) - ahead <= T < end + behind


def status_of(claims: dict[str, Any], good: dict[str, Any], house: UUID) -> int:
    """What a well-signed access token is answered with, in plain words."""
    scopes, houses = claims["scopes"], claims["propertyIds"]
    whole = (
        claims["iss"] == good["iss"]
        and claims["aud"] == good["aud"]
        and in_time(claims, DAY, LEEWAY, LEEWAY)
        and is_text(claims["sub"])
        and is_uuid(claims["tenantId"])
        and isinstance(claims["auth_strength"], str)
        and claims["auth_strength"] in ("pwd", "mfa", "step_up")
        and isinstance(scopes, list)
        and all(is_text(scope, re.compile(r"[!#-\[\]-~]{1,128}")) for scope in scopes)
        and isinstance(houses, list)
        and all(is_uuid(each) for each in houses)
    )
    if not whole:
        return 401
    if WRITE not in scopes or UUID(claims["tenantId"]) != UUID(good["tenantId"]):
        return 403
    return 201 if house in [UUID(each) for each in houses] else 404


@pytest.mark.req("REL-7", "SEC-1", "SEC-3")
def test_a_well_signed_token_passes_only_if_every_claim_is_right(door: Door) -> None:
    names = [*door.good, "nbf"]
    near = {
        "iss": st.sampled_from([forging.ISSUER + "/", [forging.ISSUER]]),
        "aud": st.sampled_from([["billing-service"], "billing-service "]),
        "iat": TIMES,
        "exp": TIMES,
        "nbf": TIMES,
        "tenantId": st.sampled_from([door.good["tenantId"].upper(), str(uuid4())]),
        "propertyIds": st.lists(st.sampled_from([*door.good["propertyIds"], str(uuid4()), "x"])),
        "scopes": st.lists(st.sampled_from([WRITE, "billing.folio.read", "a b", 'a"'])),
        "auth_strength": st.sampled_from(["pwd", "step_up", "none"]),
    }

    @settings(FIXED, max_examples=200)
    @given(data=st.data(), changed=st.lists(st.sampled_from(names), max_size=3, unique=True))
    def ask(data: st.DataObject, changed: list[str]) -> None:
        claims = {"nbf": MISSING, **door.good}
        for name in changed:
            claims[name] = data.draw(near.get(name, ANYTHING) | ANYTHING | st.just(MISSING), name)
        expected = status_of(claims, door.good, door.hotel.property_id)
        answer = door.post(door.forge.raw(spelled(claims)))
        assert answer.status_code == expected, (claims, answer.text)
        if expected != 201:
            refused(answer, expected)

    ask()
    door.check()


@pytest.mark.req("REL-7", "SEC-1")
def test_times_are_kept_to_the_second_at_the_door(door: Door) -> None:
    """One second more or less at each boundary, alone and together."""
    edges = [
        {"exp": end, "iat": start, **more}
        for end in (T - LEEWAY, T - LEEWAY + 1, T, T + 1)
        for start in (T - LEEWAY - 1, T - LEEWAY, T - 1, T)
        for more in ({}, {"nbf": T + LEEWAY}, {"nbf": T + LEEWAY + 1})
    ]
    edges += [{"iat": T + LEEWAY + n, "exp": T + 99} for n in (0, 1)]
    edges += [{"iat": T - 5, "exp": T - 5 + DAY + n} for n in (-1, 0, 1)]

    for edge in edges:
        claims = {"nbf": MISSING, **door.good, **edge}
        expected = status_of(claims, door.good, door.hotel.property_id)
        assert door.post(door.forge.raw(spelled(claims))).status_code == expected, edge
    door.check()


SIGNS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=4)
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "replace", "cut", "double", "swap", "pad", "case"]),
        st.integers(0, 10_000),
        st.integers(0, 40),
        SIGNS | st.sampled_from(["=", "==", ".", "..", "%00", "A", "-", "_", "+", "/"]),
    ),
    min_size=1,
    max_size=3,
)


def edited(token: str, edits: list[tuple[str, int, int, str]]) -> str:
    """A token with some places changed."""
    for kind, place, length, signs in edits:
        here = place % (len(token) + 1)
        there = min(len(token), here + length)
        parts = token.split(".")
        token = {
            "put": token[:here] + signs + token[here:],
            "replace": token[:here] + signs + token[here + len(signs) :],
            "cut": token[:here] + token[there:],
            "double": token[:there] + token[here:],
            "swap": ".".join([*parts[1:], parts[0]]),
            "pad": ".".join(part + "=" * (length % 3) for part in parts),
            "case": token[:here] + token[here:there].swapcase() + token[there:],
        }[kind]
    return token


@pytest.mark.req("REL-7", "SEC-1")
def test_no_other_spelling_of_a_good_token_passes(door: Door) -> None:
    @settings(FIXED, max_examples=200)
    @given(edits=EDITS, algorithm=st.sampled_from(["ES256", "RS256"]))
    def ask(edits: list[tuple[str, int, int, str]], algorithm: str) -> None:
        token = door.forge.raw(algorithm=algorithm)
        changed = edited(token, edits)
        answer = door.post(changed)
        if changed.strip() == token:  # blanks around it are none of it
            assert answer.status_code == 201
        else:
            refused(answer, 401)

    ask()
    door.check()


@pytest.mark.req("REL-7", "SEC-1")
def test_every_bad_token_that_we_know_is_turned_away_at_the_door(door: Door) -> None:
    """Those of `bad_tokens` that a header can carry, under the codes that they have there."""
    books = books_of(door.hotel.house, door.hotel.tenant_id)
    tried = 0

    for code, name, make in CORPUS:
        token = make(door.forge) or ""
        if not token.isprintable() or token != token.strip():
            continue
        answer = door.post(token.encode().decode("latin-1"))
        refused(answer, 401)
        if token.isascii():
            assert answer.json["code"] == f"MELMASTOON.IAM.{code}", name
        tried += 1

    assert tried > 250
    assert books_of(door.hotel.house, door.hotel.tenant_id) == books


def confirms(claims: dict[str, Any], good: dict[str, Any], used: list[str]) -> bool:
    """Whether a well-signed confirmation is one of this deed, in plain words."""
    same = ("iss", "aud", "sub", "tenantId", "scope", "ctx")
    return (
        all(claims[name] == good[name] for name in same)
        and in_time(claims, CONFIRMED_FOR, LEEWAY, 0)
        and all(is_text(claims[name], re.compile(r"[!-~]{8,128}")) for name in ("jti", "nonce"))
        and claims["jti"] not in used
        and is_text(claims["assertionHash"], re.compile(r"[0-9a-f]{64}|[A-Za-z0-9_-]{43}"))
        and claims["method"] in ("totp", "webauthn")
    )


@pytest.mark.req("REL-7", "SEC-4")
def test_a_well_signed_confirmation_counts_only_if_every_claim_is_right(door: Door) -> None:
    near = {
        "iat": st.integers(T - CONFIRMED_FOR - 2, T + 12),
        "exp": st.integers(T - 2, T + 2) | st.integers(T + 298, T + 302),
        "nbf": TIMES,
        "jti": st.sampled_from(["short", "x" * 129, "used"]),
        "method": st.sampled_from(["webauthn", "sms"]),
        "scope": st.sampled_from(["billing.folio.write", SCOPE.upper()]),
        "ctx": st.just("0" * 64),
        "assertionHash": st.sampled_from(["A" * 43, "A" * 64]),
    }

    @settings(FIXED, max_examples=100)
    @given(
        data=st.data(),
        changed=st.lists(st.sampled_from([*door.confirmation(), "nbf"]), max_size=2, unique=True),
    )
    def ask(data: st.DataObject, changed: list[str]) -> None:
        good = door.confirmation()
        claims = {"nbf": MISSING, **good}
        for name in changed:
            claims[name] = data.draw(near.get(name, ANYTHING) | ANYTHING | st.just(MISSING), name)
        if claims["jti"] == "used" and door.used:
            claims["jti"] = door.used[-1]
        answer = door.write_off(Forge(door.forge.identity, claims, typ="step-up+jwt").raw())
        if confirms(claims, good, door.used):
            assert answer.status_code == 201, (claims, answer.text)
            door.used.append(claims["jti"])
        else:
            refused(answer, 401, 403)

    ask()
    door.check()


@pytest.mark.req("REL-7", "SEC-4")
def test_no_other_spelling_of_a_confirmation_counts(door: Door) -> None:
    """Also what is no text at all: a number, a list, nothing."""

    @settings(FIXED, max_examples=100)
    @given(edits=EDITS, instead=st.none() | ANYTHING, plain=st.booleans())
    def ask(edits: list[tuple[str, int, int, str]], instead: Any, plain: bool) -> None:
        good = Forge(door.forge.identity, door.confirmation(), typ="step-up+jwt").raw()
        changed = edited(good, edits) if plain else instead
        if changed == good:
            return
        refused(door.write_off(json.loads(json.dumps(changed))), 400, 401, 403, 422)

    ask()
    door.check()
