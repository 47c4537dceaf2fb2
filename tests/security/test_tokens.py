"""Access tokens: what passes, what is refused under which code, and what is remembered."""

import json
import subprocess
import sys
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.local.identity import LocalIdentity
from common.ports.identity import Actor
from common.runtime.authentication import (
    AccessTokens,
    TokenExpired,
    TokenKeyUnknown,
    TokenMissing,
    Unauthenticated,
    bearer_token,
)
from tests.security.bad_tokens import CORPUS, Make
from tests.security.forging import (
    HOUSE,
    ISSUER,
    LAYLA,
    MISSING,
    NOON,
    OTHER_HOUSE,
    SECRET,
    TENANT,
    Clock,
    Forge,
    Issuer,
    T,
    base64url,
    run_all,
)


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> LocalIdentity:
    return LocalIdentity(tmp_path_factory.mktemp("keys"), issuer=ISSUER, clock=lambda: NOON)


@pytest.fixture
def issuer(identity: LocalIdentity) -> Issuer:
    return Issuer(identity)


@pytest.fixture
def forge(identity: LocalIdentity) -> Forge:
    return Forge(identity)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(issuer: Issuer, clock: Clock) -> AccessTokens:
    return AccessTokens(issuer.keys, issuer=ISSUER, clock=clock, leeway_seconds=0)


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize(
    ("code", "make"), [pytest.param(code, make, id=f"{code}-{name}") for code, name, make in CORPUS]
)
def test_refuses_under_its_code(code: str, make: Make, forge: Forge, tokens: AccessTokens) -> None:
    token = make(forge)
    with pytest.raises(Unauthenticated) as refused:
        tokens.verify(token)
    assert (refused.value.area, refused.value.code) == ("IAM", code)
    assert SECRET not in f"{refused.value} {refused.value.detail} {refused.value.extra}"


@pytest.mark.req("SEC-1")
def test_knows_hundreds_of_bad_tokens() -> None:
    assert len({(code, name) for code, name, _ in CORPUS}) > 270


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize("typ", ["at+jwt", "JWT", MISSING], ids=["at", "JWT", "untyped"])
def test_lets_a_good_token_pass(
    algorithm: str, typ: object, forge: Forge, tokens: AccessTokens
) -> None:
    assert tokens.verify(forge.header(algorithm, typ=typ)) == LAYLA


@pytest.mark.req("SEC-1")
def test_lets_claims_and_headers_pass_that_it_does_not_know(
    forge: Forge, tokens: AccessTokens
) -> None:
    assert tokens.verify(forge.claims(client_id="desk", risk=0.25)) == LAYLA
    assert tokens.verify(forge.header(x5t="thumb", cty="x")) == LAYLA


@pytest.mark.req("SEC-1", "LOC-1")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_accepts_what_the_local_identity_service_issues(
    algorithm: Any, identity: LocalIdentity, tokens: AccessTokens
) -> None:
    token = identity.issue_access_token(
        sub="usr_omar",
        tenant_id=TENANT,
        property_ids=[OTHER_HOUSE, HOUSE],
        scopes={"billing.invoice.read"},
        algorithm=algorithm,
    )
    houses, scopes = frozenset({HOUSE, OTHER_HOUSE}), frozenset({"billing.invoice.read"})
    assert tokens.verify(token) == Actor("usr_omar", TENANT, houses, scopes, "pwd")


@pytest.mark.req("SEC-1", "SEC-4")
def test_never_takes_a_confirmation_or_a_services_token_for_an_access_token(
    identity: LocalIdentity, tokens: AccessTokens
) -> None:
    confirmation = identity.issue_step_up_token(
        sub="usr_layla", tenant_id=TENANT, scope="billing.cash_drawer.close", context="0" * 64
    )
    service = identity.issue_oidc_token(email="push@p.example", audience="billing-service")
    for token in (confirmation, service):
        with pytest.raises(Unauthenticated) as refused:
            tokens.verify(token)
        assert refused.value.code == "TOKEN_CLAIMS"


# Leeway, what is said, the code that comes out (None: it passes). The clock stands at T.
MOMENTS: list[tuple[int, dict[str, int], str | None]] = [
    (0, {"iat": T - 9, "exp": T - 1}, "TOKEN_EXPIRED"),
    (0, {"iat": T - 9, "exp": T}, "TOKEN_EXPIRED"),
    (0, {"iat": T - 9, "exp": T + 1}, None),
    (0, {"nbf": T - 1}, None),
    (0, {"nbf": T}, None),
    (0, {"nbf": T + 1}, "TOKEN_NOT_YET_VALID"),
    (0, {"iat": T - 1}, None),
    (0, {"iat": T}, None),
    (0, {"iat": T + 1}, "TOKEN_NOT_YET_VALID"),
    (0, {"iat": T - 1, "nbf": T + 1}, "TOKEN_NOT_YET_VALID"),
    (0, {"iat": T + 1, "nbf": T - 1}, "TOKEN_NOT_YET_VALID"),
    (30, {"iat": T - 99, "exp": T - 30}, "TOKEN_EXPIRED"),
    (30, {"iat": T - 99, "exp": T - 29}, None),
    (30, {"nbf": T + 30}, None),
    (30, {"nbf": T + 31}, "TOKEN_NOT_YET_VALID"),
    (30, {"iat": T + 30}, None),
    (30, {"iat": T + 31}, "TOKEN_NOT_YET_VALID"),
    (0, {"exp": T + 86_400}, None),
    (0, {"iat": T - 1, "exp": T + 86_400}, "TOKEN_CLAIMS"),
    (30, {"exp": T + 86_401}, "TOKEN_CLAIMS"),
    (0, {"iat": 0, "exp": 1}, "TOKEN_EXPIRED"),
    (0, {"iat": 253_402_300_798, "exp": 253_402_300_799}, "TOKEN_NOT_YET_VALID"),
]


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize(("leeway", "said", "code"), MOMENTS)
def test_keeps_time_to_the_second(
    leeway: int, said: dict[str, int], code: str | None, issuer: Issuer, clock: Clock, forge: Forge
) -> None:
    tokens = AccessTokens(issuer.keys, issuer=ISSUER, clock=clock, leeway_seconds=leeway)
    try:
        answer = tokens.verify(forge.claims(**said)).sub
    except Unauthenticated as refused:
        answer = refused.code
    assert answer == (code or "usr_layla")


@pytest.mark.req("SEC-1")
def test_lets_a_token_live_through_its_last_microsecond(
    forge: Forge, tokens: AccessTokens, clock: Clock
) -> None:
    token = forge.claims(exp=T + 1)
    clock.move(microseconds=999_999)
    assert tokens.verify(token) == LAYLA
    clock.move(microseconds=1)
    with pytest.raises(TokenExpired):
        tokens.verify(token)


@pytest.mark.parametrize("seconds", [-1, 31])
def test_takes_no_leeway_beyond_half_a_minute(seconds: int, issuer: Issuer, clock: Clock) -> None:
    with pytest.raises(ValueError):
        AccessTokens(issuer.keys, issuer=ISSUER, clock=clock, leeway_seconds=seconds)


def test_takes_no_clock_without_a_zone(issuer: Issuer, forge: Forge) -> None:
    zoneless = AccessTokens(issuer.keys, issuer=ISSUER, clock=lambda: NOON.replace(tzinfo=None))
    with pytest.raises(ValueError):
        zoneless.verify(forge.claims())


@pytest.mark.req("SEC-1")
@settings(max_examples=200)
@given(data=st.data())
def test_knows_a_token_again_only_when_it_is_whole(
    data: st.DataObject, identity: LocalIdentity
) -> None:
    """A token with one sign changed, anywhere, is refused, whatever the sign."""
    tokens = AccessTokens(Issuer(identity).keys, issuer=ISSUER, clock=lambda: NOON)
    token = Forge(identity).claims()
    place = data.draw(st.integers(0, len(token) - 1))
    sign = data.draw(st.characters().filter(lambda each: each != token[place]))
    with pytest.raises(Unauthenticated):
        tokens.verify(token[:place] + sign + token[place + 1 :])


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
NAMES = st.sampled_from(["alg", "kid", "typ", "crit", "jwk"])
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner)
).map(lambda document: json.dumps(document).encode())


@pytest.mark.req("SEC-1")
@settings(max_examples=200)
@given(
    text=st.text(max_size=200)
    | st.lists(st.binary(max_size=60) | DOCUMENTS, min_size=3, max_size=3).map(
        lambda parts: ".".join(map(base64url, parts))
    )
)
def test_answers_any_text_with_a_refusal(text: str, identity: LocalIdentity) -> None:
    tokens = AccessTokens(Issuer(identity).keys, issuer=ISSUER, clock=lambda: NOON)
    with pytest.raises(Unauthenticated):
        tokens.verify(text)


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwdw==", "abc.def.ghi", "Bearerabc"]
)
def test_asks_for_a_bearer_token(header: str | None) -> None:
    with pytest.raises(TokenMissing):
        bearer_token(header)


@pytest.mark.parametrize("header", ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c "])
def test_finds_the_bearer_token(header: str) -> None:
    assert bearer_token(header) == "a.b.c"


@pytest.mark.req("SEC-2")
def test_gives_an_actor_the_scopes_of_the_token_and_no_others(
    forge: Forge, tokens: AccessTokens
) -> None:
    actor = tokens.verify(forge.claims(scopes=["billing.folio.write", "billing.admin"]))
    assert actor.may("billing.folio.write")
    assert actor.may("billing.admin")
    for other in ("billing.folio.read", "billing.folio", "billing", "billing.*", "", "*"):
        assert not actor.may(other)


@pytest.mark.req("SEC-2")
def test_makes_nothing_of_roles(forge: Forge, tokens: AccessTokens) -> None:
    roles = {"roles": ["admin"], "role": "owner", "scope": "billing.admin"}
    actor = tokens.verify(forge.claims(scopes=[], **roles))
    assert not any(map(actor.may, ("admin", "owner", "billing.admin")))


@pytest.mark.req("SEC-3")
def test_gives_an_actor_the_properties_of_the_token(forge: Forge, tokens: AccessTokens) -> None:
    actor = tokens.verify(forge.claims())
    assert actor.holds(HOUSE)
    assert not actor.holds(OTHER_HOUSE)
    assert not tokens.verify(forge.claims(propertyIds=[])).holds(HOUSE)


class OneKey:
    """A source with one key, which counts how often it is asked to verify."""

    def __init__(self, key: Any) -> None:
        self.kid, self.algorithm, self._key = key.kid, key.algorithm, key
        self.asked = 0
        self.withdrawn = False

    def key(self, kid: str) -> "OneKey | None":
        return self if kid == self.kid and not self.withdrawn else None

    def payload_of(self, token: str) -> bytes | None:
        self.asked += 1
        return self._key.payload_of(token)


@pytest.fixture
def one_key(issuer: Issuer, forge: Forge) -> OneKey:
    return OneKey(issuer.keys.key(forge.kid()))


def test_verifies_a_signature_once(one_key: OneKey, forge: Forge, clock: Clock) -> None:
    tokens = AccessTokens(one_key, issuer=ISSUER, clock=clock)
    token = forge.claims()
    assert {tokens.verify(token) for _ in range(50)} == {LAYLA}
    assert one_key.asked == 1


@pytest.mark.req("SEC-1")
def test_holds_a_remembered_token_against_the_clock(
    forge: Forge, tokens: AccessTokens, clock: Clock
) -> None:
    token = forge.claims(nbf=T - 60)
    tokens.verify(token)
    clock.move(seconds=3600)
    with pytest.raises(TokenExpired):
        tokens.verify(token)
    clock.move(seconds=-3601)
    with pytest.raises(Unauthenticated) as refused:
        tokens.verify(token)
    assert refused.value.code == "TOKEN_NOT_YET_VALID"


@pytest.mark.req("SEC-1")
def test_forgets_a_token_with_its_key(one_key: OneKey, forge: Forge, clock: Clock) -> None:
    tokens = AccessTokens(one_key, issuer=ISSUER, clock=clock)
    token = forge.claims()
    tokens.verify(token)
    one_key.withdrawn = True
    with pytest.raises(TokenKeyUnknown):
        tokens.verify(token)


def test_remembers_no_more_tokens_than_it_was_told(
    one_key: OneKey, forge: Forge, clock: Clock
) -> None:
    """Three places; a, b, c, then a again, then d: b goes, being the one not seen for longest."""
    tokens = AccessTokens(one_key, issuer=ISSUER, clock=clock, remembered=3)
    a, b, c, d = (forge.claims(sub=f"usr_{name}") for name in "abcd")
    for token in (a, b, c, a, d, a, c, d):
        tokens.verify(token)
    assert one_key.asked == 4
    tokens.verify(b)
    assert one_key.asked == 5


def test_remembers_nothing_of_a_token_that_it_refused(
    one_key: OneKey, forge: Forge, clock: Clock
) -> None:
    tokens = AccessTokens(one_key, issuer=ISSUER, clock=clock)
    token = forge.claims(iat=T - 99, exp=T - 60)
    for _ in range(3):
        with pytest.raises(TokenExpired):
            tokens.verify(token)
    assert one_key.asked == 3


def test_serves_many_threads(forge: Forge, issuer: Issuer, clock: Clock) -> None:
    """Eight threads, forty tokens, sixteen places: every answer is of the token that was asked."""
    tokens = AccessTokens(issuer.keys, issuer=ISSUER, clock=clock, remembered=16)
    named = {f"usr_{n}": forge.claims(sub=f"usr_{n}") for n in range(40)}
    wrong: list[str] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        for _ in range(5):
            wrong.extend(sub for sub, token in named.items() if tokens.verify(token).sub != sub)

    run_all([ask] * 8)
    assert (wrong, issuer.fetches) == ([], 1)


@pytest.mark.req("PERF-1")
def test_loads_no_heavy_library_on_import() -> None:
    edges = ("authentication", "step_up", "oidc", "logging")
    heavy = ("jwt", "cryptography", "pydantic", "rfc8785", "flask")
    program = "\n".join(f"import common.runtime.{name}" for name in edges)
    program += f"\nimport sys\nprint([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (answer.stdout.strip(), answer.returncode) == ("[]", 0)
