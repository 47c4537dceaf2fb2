"""A second factor counts once, for one deed, by one person; and it is used with the deed or not.

Two deeds stand in tests/security/gated.py: one in a single transaction, one that asks outside
between two. Both go through the real edge and commit to the real database.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import jwt
import pytest
from werkzeug.test import TestResponse

from common.domain.canonical import digest
from common.local.identity import LocalIdentity
from tests.hotel import Hotel, charge, new_id
from tests.security.answers import is_problem
from tests.security.books import books_of
from tests.security.forging import P256_ORDER, Forge, base64url, unbase64url
from tests.security.gated import SCOPE, Gate, asked_outside, outside_is_down

REPLAY = "MELMASTOON.IAM.STEP_UP_REPLAY"
DEEDS = ["write-off", "pay-back"]


@dataclass
class Desk:
    """A supervisor who writes off the charges of one guest."""

    hotel: Hotel
    gate: Gate
    folio: str
    supervisor: str = field(default_factory=lambda: f"supervisor-{uuid4()}")

    def charge(self) -> str:
        posted = self.hotel.post(f"/folios/{self.folio}/charges", charge("minibar", 700))
        found: str = posted.json["lines"][0]["lineId"]
        return found

    def context(self, charge_id: str) -> str:
        return digest({"tenant": str(self.hotel.tenant_id), "charge": charge_id}).hex()

    def confirm(self, charge_id: str, **changed: Any) -> str:
        """The supervisor's confirmation of this deed, or of something else."""
        asked = {
            "sub": self.supervisor,
            "tenant_id": self.hotel.tenant_id,
            "scope": SCOPE,
            "context": self.context(charge_id),
        }
        token: str = self.hotel.house.identity.issue_step_up_token(**{**asked, **changed})
        return token

    def send(
        self,
        deed: str,
        charge_id: str,
        token: Any,
        *,
        key: str = "",
        folio: str = "",
        reason: str = "Broken minibar",
        **headers: str,
    ) -> TestResponse:
        access = self.hotel.token(SCOPE, sub=self.supervisor)
        sent = {
            "Authorization": f"Bearer {access}",
            "Idempotency-Key": key or str(uuid4()),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        path = f"/api/v1/test/folios/{folio or self.folio}/charges/{charge_id}/{deed}"
        body = {"reason": reason} | ({} if token is None else {"stepUpToken": token})
        return self.gate.client.post(path, json=body, headers=sent)

    def uses(self) -> list[list[Any]]:
        return self.hotel.house.sql(
            "SELECT token_id, actor, scope, assertion_hash, context, issuer, xmin::text"
            " FROM billing_central.step_up_uses WHERE tenant_id = :tenant",
            tenant=self.hotel.tenant_id,
        )

    def incidents(self) -> list[list[Any]]:
        return self.hotel.rows(
            "SELECT sequence, reason FROM {s}.audit_entries WHERE aggregate_kind = 'actor'"
            " AND aggregate_id = :who AND actor = :who ORDER BY sequence",
            who=self.supervisor,
        )


@pytest.fixture
def desk(hotel: Hotel) -> Desk:
    return Desk(hotel, Gate(hotel.house), hotel.open_folio())


@pytest.fixture
def nothing_changes(desk: Desk) -> Iterator[Callable[[], None]]:
    """Check that the books are as they were, but for the incidents."""
    taken: list[dict[str, str]] = []

    def check() -> None:
        now = books_of(desk.hotel.house, desk.hotel.tenant_id)
        if taken:
            differ = {name.split(".")[1] for name in now if now[name] != taken[0][name]}
            assert differ <= {"audit_entries"}
        taken[:] = [now]

    yield check
    check()


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


@pytest.mark.req("SEC-4", "AUD-1")
@pytest.mark.parametrize("deed", DEEDS)
def test_a_confirmed_deed_and_its_confirmation_are_one_commit(desk: Desk, deed: str) -> None:
    charge_id = desk.charge()
    token = desk.confirm(charge_id)
    claims = claims_of(token)

    answer = desk.send(deed, charge_id, token)

    assert answer.status_code == 201, answer.text
    (use,) = desk.uses()
    assert use[:6] == [
        claims["jti"],
        desk.supervisor,
        SCOPE,
        claims["assertionHash"],
        desk.context(charge_id),
        claims["iss"],
    ]
    entries = desk.hotel.rows(
        "SELECT step_up_token_id, assertion_hash, auth_strength, xmin::text"
        " FROM {s}.audit_entries WHERE actor = :who",
        who=desk.supervisor,
    )
    assert entries == [[claims["jti"], claims["assertionHash"], "pwd", use[6]]]
    lines = desk.hotel.rows("SELECT DISTINCT xmin::text FROM {s}.folio_lines WHERE type = 'void'")
    assert lines == [[use[6]]], "the lines and the use have one transaction"
    assert claims["nonce"] not in answer.text


@pytest.mark.req("SEC-4")
def test_what_was_not_confirmed_bears_no_confirmation(desk: Desk) -> None:
    desk.charge()

    told = desk.hotel.rows(
        "SELECT DISTINCT step_up_token_id, assertion_hash FROM {s}.audit_entries"
    )
    assert told == [[None, None]]


def reencoded(token: str) -> dict[str, str]:
    """The same confirmation in other letters."""
    signed, _, signature = token.rpartition(".")
    raw = unbase64url(signature)
    r, s = raw[:32], int.from_bytes(raw[32:])
    return {
        "as it was": token,
        "the other s": f"{signed}.{base64url(r + (P256_ORDER - s).to_bytes(32))}",
    }


@pytest.mark.req("SEC-4", "AUD-1")
@pytest.mark.parametrize("spelling", ["as it was", "the other s"])
@pytest.mark.parametrize("deed", DEEDS)
def test_a_used_confirmation_is_refused_and_written_down(
    desk: Desk, deed: str, spelling: str, nothing_changes: Callable[[], None]
) -> None:
    """Though the deed itself would be refused, too: its charge is written off already."""
    charge_id = desk.charge()
    token = desk.confirm(charge_id)
    assert desk.send(deed, charge_id, token).status_code == 201
    asked = len(asked_outside)
    nothing_changes()

    answer = desk.send(deed, charge_id, reencoded(token)[spelling])

    is_problem(answer, 403, code=REPLAY)
    assert desk.incidents() == [[1, REPLAY]]
    assert len(asked_outside) == asked, "nobody outside was asked again"
    assert claims_of(token)["jti"] not in answer.text


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("deed", DEEDS)
def test_of_64_at_once_one_wins(desk: Desk, deed: str) -> None:
    charge_id = desk.charge()
    token = desk.confirm(charge_id)

    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: desk.send(deed, charge_id, token), range(64)))

    statuses = Counter((each.status_code, each.json.get("code")) for each in answers)
    assert statuses == {(201, None): 1, (403, REPLAY): 63}
    assert len(desk.uses()) == 1
    assert desk.incidents() == [[number, REPLAY] for number in range(1, 64)]
    voided = desk.hotel.rows("SELECT count(*) FROM {s}.folio_lines WHERE type = 'void'")
    assert voided == [[2]], "the charge and its tax, once"


@pytest.mark.req("SEC-4")
def test_a_deed_that_is_refused_uses_nothing(desk: Desk) -> None:
    charge_id = desk.charge()
    token = desk.confirm(charge_id)

    stale = desk.send("write-off", charge_id, token, If_Match='"77"')
    unknown = desk.send("write-off", charge_id, token, folio=new_id("fol"))
    with outside_is_down():
        broken = desk.send("pay-back", charge_id, token)

    assert (stale.status_code, unknown.status_code, broken.status_code) == (412, 404, 500)
    assert desk.uses() == []
    assert desk.send("write-off", charge_id, token).status_code == 201
    assert len(desk.uses()) == 1


@pytest.mark.req("SEC-4", "API-4")
@pytest.mark.parametrize("deed", DEEDS)
def test_sending_it_again_answers_the_same_whatever_became_of_the_confirmation(
    desk: Desk, deed: str, nothing_changes: Callable[[], None]
) -> None:
    charge_id, key = desk.charge(), str(uuid4())
    token = desk.confirm(charge_id)
    first = desk.send(deed, charge_id, token, key=key)
    asked = len(asked_outside)
    nothing_changes()

    for again in (token, desk.confirm(charge_id), expired(desk, charge_id), None, "garbage"):
        answer = desk.send(deed, charge_id, again, key=key)
        assert (answer.status_code, answer.data) == (201, first.data)
        assert answer.headers["Idempotency-Replayed"] == "true"

    assert len(asked_outside) == asked
    assert desk.incidents() == []
    other = desk.send(deed, charge_id, token, key=key, reason="Another one")
    is_problem(other, 422, code="MELMASTOON.GENERAL.IDEMPOTENCY_KEY_REUSED")


def signed(desk: Desk, charge_id: str, typ: str = "step-up+jwt", **changed: Any) -> str:
    """A good confirmation's claims, changed and signed again."""
    claims = {**claims_of(desk.confirm(charge_id)), **changed}
    identity = desk.hotel.house.identity
    return identity.sign(claims, typ=typ, algorithm="ES256")


def expired(desk: Desk, charge_id: str) -> str:
    issued = claims_of(desk.confirm(charge_id))["iat"] - 3600
    return signed(desk, charge_id, iat=issued, exp=issued + 300)


def forged(desk: Desk, charge_id: str) -> str:
    identity: LocalIdentity = desk.hotel.house.identity
    claims = claims_of(desk.confirm(charge_id))
    return Forge(identity, claims, "step-up+jwt").stranger()


def lasting(desk: Desk, charge_id: str) -> str:
    issued = claims_of(desk.confirm(charge_id))["iat"]
    return signed(desk, charge_id, exp=issued + 301)


CONFIRMATIONS: dict[str, tuple[Callable[[Desk, str], Any], str]] = {
    "none": (lambda desk, _: None, "REQUIRED"),
    "a number": (lambda desk, _: 7, "REQUIRED"),
    "an empty one": (lambda desk, _: "", "REQUIRED"),
    "garbage": (lambda desk, _: "Zarghuna", "MALFORMED"),
    "the access token": (lambda desk, _: desk.hotel.token(SCOPE, sub=desk.supervisor), "TYPE"),
    "one of another charge": (lambda desk, _: desk.confirm(desk.charge()), "CONTEXT"),
    "one of nothing": (lambda desk, c: desk.confirm(c, context="0" * 64), "CONTEXT"),
    "somebody else's": (lambda desk, c: desk.confirm(c, sub="usr_omar"), "ACTOR"),
    "one of another scope": (lambda desk, c: desk.confirm(c, scope="billing.admin"), "SCOPE"),
    "one of another tenant": (lambda desk, c: desk.confirm(c, tenant_id=uuid4()), "TENANT"),
    "one for another service": (lambda desk, c: desk.confirm(c, audience="mail"), "AUDIENCE"),
    "one that has expired": (expired, "EXPIRED"),
    "one that lasts too long": (lasting, "LIFETIME"),
    "a stranger's": (forged, "SIGNATURE"),
    "one without a nonce": (lambda desk, c: signed(desk, c, nonce=""), "MALFORMED"),
    "one by a password": (lambda desk, c: signed(desk, c, method="pwd"), "MALFORMED"),
}


@pytest.mark.req("SEC-4", "API-3")
@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("kind", CONFIRMATIONS)
def test_refuses_what_does_not_confirm_this_deed(desk: Desk, deed: str, kind: str) -> None:
    make, code = CONFIRMATIONS[kind]
    charge_id = desk.charge()
    token = make(desk, charge_id)
    asked = len(asked_outside)
    before = books_of(desk.hotel.house, desk.hotel.tenant_id)

    answer = desk.send(deed, charge_id, token)

    is_problem(answer, 403, code=f"MELMASTOON.IAM.STEP_UP_{code}")
    assert books_of(desk.hotel.house, desk.hotel.tenant_id) == before
    assert len(asked_outside) == asked
    assert desk.send(deed, charge_id, desk.confirm(charge_id)).status_code == 201


@pytest.mark.req("SEC-4", "SEC-7")
def test_trying_confirmations_out_is_counted(desk: Desk) -> None:
    charge_id = desk.charge()

    answer = desk.send("write-off", charge_id, "garbage")
    counted = desk.hotel.house.sql(
        "SELECT sum(used) FROM billing_central.rate_counters WHERE bucket LIKE :mine",
        mine=f"%{desk.supervisor}%",
    )

    is_problem(answer, 403)
    assert counted[0][0] >= 1
