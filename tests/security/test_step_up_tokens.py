"""A confirmation is of one person, one deed, and five minutes, and it is one however it is spelled.

The clock stands at noon of 1 March 2026; Omar confirms the count of a drawer that Layla closed.
"""

import hashlib
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from common.local.identity import LocalIdentity
from common.ports.identity import Actor, StepUp
from common.runtime.step_up import StepUpRefused, context_of, verify_step_up
from tests.security.bad_tokens import (
    ALGORITHMS,
    CONTENTS,
    KEYS,
    NO_TEXT,
    NO_TIME,
    NO_UUID,
    SHAPES,
    SIGNATURES,
    Make,
    name_of,
)
from tests.security.forging import (
    ISSUER,
    MISSING,
    NOON,
    P256_ORDER,
    SECRET,
    TENANT,
    Forge,
    Issuer,
    T,
)

SCOPE = "billing.cash_drawer.close"
OTHER_TENANT = UUID("7f1b0c9e-0000-4000-8000-000000000002")
OMAR = Actor("usr_omar", TENANT, frozenset(), frozenset({SCOPE}), "pwd")
DRAWER: dict[str, Any] = {
    "tenant": str(TENANT),
    "session": "cds_01HZX4M2N3P4Q5R6S7T8V9W0XY",
    "closingActor": "usr_layla",
    "countedMicro": 312_450_000,
    "currency": "USD",
}
CONTEXT = context_of(**DRAWER)
ASSERTION = hashlib.sha256(b"an assertion").hexdigest()
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "billing-service",
    "sub": "usr_omar",
    "tenantId": str(TENANT),
    "scope": SCOPE,
    "ctx": CONTEXT,
    "jti": "jti-" + SECRET,
    "nonce": "nonce-" + SECRET,
    "assertionHash": ASSERTION,
    "method": "webauthn",
    "iat": T,
    "exp": T + 300,
}


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> LocalIdentity:
    return LocalIdentity(tmp_path_factory.mktemp("keys"), issuer=ISSUER, clock=lambda: NOON)


@pytest.fixture(scope="module")
def issuer(identity: LocalIdentity) -> Issuer:
    return Issuer(identity)


@pytest.fixture(scope="module")
def forge(identity: LocalIdentity) -> Forge:
    return Forge(identity, GOOD, typ="step-up+jwt")


def verified(token: str | None, identity_service: Issuer, /, **changed: Any) -> StepUp:
    asked: dict[str, Any] = {
        "keys": identity_service.keys,
        "issuer": ISSUER,
        "audience": "billing-service",
        "now": NOON,
        "actor": OMAR,
        "scope": SCOPE,
        "context": CONTEXT,
        "leeway_seconds": 0,
    }
    return verify_step_up(token, **(asked | changed))


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
@pytest.mark.parametrize("method", ["totp", "webauthn"])
def test_says_what_was_confirmed_by_whom_and_how(
    algorithm: str, method: str, forge: Forge, issuer: Issuer
) -> None:
    token = forge.raw(json.dumps(GOOD | {"method": method}).encode(), algorithm=algorithm)
    step_up = verified(token, issuer)
    assert step_up == StepUp(
        token_id=GOOD["jti"],
        issuer=ISSUER,
        actor="usr_omar",
        scope=SCOPE,
        nonce=GOOD["nonce"],
        context=CONTEXT,
        assertion_hash=ASSERTION,
        method=method,
        expires_at=NOON.replace(minute=5),
    )


@pytest.mark.req("SEC-4", "LOC-1")
def test_accepts_what_the_local_identity_service_issues(
    identity: LocalIdentity, issuer: Issuer
) -> None:
    tokens = [
        identity.issue_step_up_token(sub="usr_omar", tenant_id=TENANT, scope=SCOPE, context=CONTEXT)
        for _ in range(2)
    ]
    one, other = (verified(token, issuer) for token in tokens)
    assert one.token_id != other.token_id
    assert one.nonce != other.nonce


NO_SINGLE = (MISSING, *NO_TEXT, "short", "x" * 129)
WRONG: tuple[tuple[str, str, tuple[object, ...]], ...] = (
    ("STEP_UP_SIGNATURE", "iss", (MISSING, None, "", 1, [ISSUER], ISSUER + "/", "evil")),
    ("STEP_UP_AUDIENCE", "aud", (MISSING, None, "", 1, [], ["billing-service"], "iam", "*")),
    ("STEP_UP_MALFORMED", "exp", (MISSING, *NO_TIME)),
    ("STEP_UP_MALFORMED", "iat", (MISSING, *NO_TIME)),
    ("STEP_UP_MALFORMED", "nbf", NO_TIME),
    ("STEP_UP_MALFORMED", "sub", (MISSING, *NO_TEXT)),
    ("STEP_UP_MALFORMED", "tenantId", (MISSING, *NO_UUID)),
    ("STEP_UP_MALFORMED", "scope", (MISSING, *NO_TEXT, [SCOPE], f"{SCOPE} billing.admin")),
    ("STEP_UP_MALFORMED", "jti", NO_SINGLE),
    ("STEP_UP_MALFORMED", "nonce", NO_SINGLE),
    ("STEP_UP_MALFORMED", "ctx", (MISSING, *NO_TEXT, CONTEXT.upper(), CONTEXT[1:], CONTEXT + "0")),
    ("STEP_UP_MALFORMED", "assertionHash", (MISSING, *NO_TEXT, ASSERTION.upper(), "a" * 42)),
    ("STEP_UP_MALFORMED", "method", (MISSING, *NO_TEXT, "sms", "TOTP", "pwd", "webauthn ")),
    ("STEP_UP_ACTOR", "sub", ("usr_layla", "USR_OMAR", "usr_omar.", "usr_oma", "Usr_omar")),
    ("STEP_UP_TENANT", "tenantId", (str(OTHER_TENANT),)),
    ("STEP_UP_SCOPE", "scope", ("billing.refund.write", "billing.cash_drawer", "*", SCOPE.upper())),
    ("STEP_UP_CONTEXT", "ctx", ("0" * 64, CONTEXT[:-1] + ("1" if CONTEXT[-1] == "0" else "0"))),
)
GROUPS: tuple[tuple[str, dict[str, Make]], ...] = (
    ("STEP_UP_REQUIRED", {"nothing": lambda f: None, "an empty text": lambda f: ""}),
    ("STEP_UP_MALFORMED", SHAPES | CONTENTS),
    ("STEP_UP_SIGNATURE", ALGORITHMS | KEYS | SIGNATURES),
    ("STEP_UP_TYPE", {"no type": lambda f: f.header(typ=MISSING)}),
    (
        "STEP_UP_TYPE",
        {
            f"typ {typ!r}": lambda f, typ=typ: f.header(typ=typ)
            for typ in ("", "JWT", "at+jwt", "Step-Up+JWT", "application/step-up+jwt", "step-up")
        },
    ),
)
CORPUS = [(code, name, make) for code, group in GROUPS for name, make in group.items()] + [
    (code, f"{claim} {name_of(value)}", lambda f, c=claim, v=value: f.claims(**{c: v}))
    for code, claim, values in WRONG
    for value in values
]


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize(
    ("code", "make"), [pytest.param(code, make, id=f"{code}-{name}") for code, name, make in CORPUS]
)
def test_refuses_under_its_code(code: str, make: Make, forge: Forge, issuer: Issuer) -> None:
    token = make(forge)
    with pytest.raises(StepUpRefused) as refused:
        verified(token, issuer)
    assert (refused.value.area, refused.value.code) == ("IAM", code)
    assert SECRET not in f"{refused.value} {refused.value.detail} {refused.value.extra}"


@pytest.mark.req("SEC-4", "CASH-4")
def test_never_takes_an_access_token_for_a_confirmation(
    identity: LocalIdentity, issuer: Issuer
) -> None:
    """Nor one that says all that a confirmation says: its type is another."""
    access = identity.issue_access_token(
        sub="usr_omar", tenant_id=TENANT, scopes={SCOPE}, auth_strength="step_up"
    )
    for token in (access, identity.sign(GOOD, typ="at+jwt", algorithm="ES256")):
        with pytest.raises(StepUpRefused) as refused:
            verified(token, issuer)
        assert refused.value.code == "STEP_UP_TYPE"


# Leeway, what is said, the code that comes out (None: it passes). The clock stands at T.
MOMENTS: list[tuple[int, dict[str, int], str | None]] = [
    (0, {"iat": T - 299, "exp": T + 1}, None),
    (0, {"iat": T - 300, "exp": T}, "STEP_UP_EXPIRED"),
    (0, {"iat": T - 301, "exp": T - 1}, "STEP_UP_EXPIRED"),
    (30, {"iat": T - 300, "exp": T}, "STEP_UP_EXPIRED"),
    (0, {"iat": T - 9, "exp": T - 1}, "STEP_UP_EXPIRED"),
    (0, {"exp": T + 1}, None),
    (0, {"exp": T + 299}, None),
    (0, {"exp": T + 300}, None),
    (0, {"exp": T + 301}, "STEP_UP_LIFETIME"),
    (30, {"exp": T + 301}, "STEP_UP_LIFETIME"),
    (0, {"exp": T + 315_360_000}, "STEP_UP_LIFETIME"),
    (0, {"exp": T}, "STEP_UP_LIFETIME"),
    (0, {"exp": T - 1}, "STEP_UP_LIFETIME"),
    (0, {"iat": T - 1, "exp": T + 300}, "STEP_UP_LIFETIME"),
    (0, {"iat": 0, "exp": T + 1}, "STEP_UP_LIFETIME"),
    (0, {"iat": T + 1}, "STEP_UP_LIFETIME"),
    (0, {"nbf": T + 1}, "STEP_UP_LIFETIME"),
    (0, {"nbf": T}, None),
    (10, {"iat": T + 10, "exp": T + 310}, None),
    (10, {"iat": T + 11, "exp": T + 311}, "STEP_UP_LIFETIME"),
    (10, {"nbf": T + 11}, "STEP_UP_LIFETIME"),
]


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize(("leeway", "said", "code"), MOMENTS)
def test_keeps_time_to_the_second(
    leeway: int, said: dict[str, int], code: str | None, forge: Forge, issuer: Issuer
) -> None:
    try:
        answer = verified(forge.claims(**said), issuer, leeway_seconds=leeway).actor
    except StepUpRefused as refused:
        answer = refused.code
    assert answer == (code or "usr_omar")


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"actor": replace(OMAR, sub="usr_layla")}, "STEP_UP_ACTOR"),
        ({"actor": replace(OMAR, tenant_id=OTHER_TENANT)}, "STEP_UP_TENANT"),
        ({"scope": "billing.refund.write"}, "STEP_UP_SCOPE"),
        ({"scope": ""}, "STEP_UP_SCOPE"),
        ({"audience": "other-service"}, "STEP_UP_AUDIENCE"),
        ({"issuer": "https://identity.other"}, "STEP_UP_SIGNATURE"),
        ({"context": ""}, "STEP_UP_CONTEXT"),
        *(
            ({"context": context_of(**(DRAWER | {part: other}))}, "STEP_UP_CONTEXT")
            for part, other in (
                ("tenant", str(OTHER_TENANT)),
                ("session", "cds_01HZX4M2N3P4Q5R6S7T8V9W0XZ"),
                ("closingActor", "usr_omar"),
                ("countedMicro", 312_450_001),
                ("countedMicro", "312450000"),
                ("currency", "EUR"),
            )
        ),
    ],
)
def test_opens_no_other_deed(
    asked: dict[str, Any], code: str, forge: Forge, issuer: Issuer
) -> None:
    with pytest.raises(StepUpRefused) as refused:
        verified(forge.claims(), issuer, **asked)
    assert refused.value.code == code


@pytest.mark.req("SEC-4")
def test_is_the_same_confirmation_however_its_signature_is_written(
    forge: Forge, issuer: Issuer
) -> None:
    """(r, n - s) fits wherever (r, s) does: another text, and the same token id."""
    token = forge.claims()
    signed = token.rpartition(".")[0]

    def mirrored(signature: bytes) -> bytes:
        s = int.from_bytes(signature[32:])
        return signature[:32] + (P256_ORDER - s).to_bytes(32)

    twin = forge.resigned(token, mirrored)
    assert twin != token
    assert twin.startswith(signed)
    first, second = verified(token, issuer), verified(twin, issuer)
    assert (first.issuer, first.token_id) == (second.issuer, second.token_id)


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("written", ["{}=", "{}==", "{} ", " {}", "{}\n", "{}.", "{}\0", "{}%3D"])
def test_takes_no_other_spelling_of_a_confirmation(
    written: str, forge: Forge, issuer: Issuer
) -> None:
    with pytest.raises(StepUpRefused) as refused:
        verified(written.format(forge.claims()), issuer)
    assert refused.value.code == "STEP_UP_MALFORMED"


@pytest.mark.req("SEC-4")
def test_works_the_context_out_as_anybody_can_by_rfc_8785() -> None:
    """{"a":1,"b":"x"} hashes to what sha256sum gives for these 15 bytes."""
    assert context_of(b="x", a=1) == hashlib.sha256(b'{"a":1,"b":"x"}').hexdigest()
    assert hashlib.sha256(rfc8785.dumps(DRAWER)).hexdigest() == CONTEXT


@settings(max_examples=100)
@given(
    parts=st.dictionaries(
        st.sampled_from(["a", "b", "session", "amountMicro", "Z"]),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["x", "Y"]), inner, max_size=2)
            ),
            max_leaves=6,
        ),
        min_size=1,
    )
)
def test_agrees_with_an_independent_rfc_8785(parts: dict[str, Any]) -> None:
    assert context_of(**parts) == hashlib.sha256(rfc8785.dumps(parts)).hexdigest()


@pytest.mark.parametrize(
    "parts", [{}, {"amount": 1.5}, {"amount": 2**53}, {"id": TENANT}, {"at": NOON}, {"x": "\ud800"}]
)
def test_makes_no_context_of_nothing_or_of_what_has_two_spellings(parts: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        context_of(**parts)
