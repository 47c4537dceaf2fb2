"""Who of Google's services may call: one account, at one address."""

import json
from typing import Any

import pytest

from common.domain.refusal import Forbidden
from common.local.identity import LocalIdentity
from common.runtime.authentication import Unauthenticated
from common.runtime.oidc import GOOGLE_ISSUERS, ServiceAccountRefused, ServiceCaller, ServiceTokens
from tests.security.bad_tokens import (
    ALGORITHMS,
    CONTENTS,
    KEYS,
    NO_TEXT,
    NO_TIME,
    SHAPES,
    SIGNATURES,
    Make,
)
from tests.security.forging import ISSUER, MISSING, NOON, SECRET, Forge, Issuer, T

GOOGLE = "https://accounts.google.com"
ADDRESS = "https://billing.example/events/on-tenant-created"
PUSHER = "event-push@project.iam.gserviceaccount.com"
PUSH: dict[str, Any] = {
    "iss": GOOGLE,
    "aud": ADDRESS,
    "azp": "1101",
    "sub": "1101",
    "email": PUSHER,
    "email_verified": True,
    "iat": T,
    "exp": T + 3600,
    "hd": SECRET,
}


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> LocalIdentity:
    return LocalIdentity(tmp_path_factory.mktemp("keys"), issuer=ISSUER, clock=lambda: NOON)


@pytest.fixture
def issuer(identity: LocalIdentity) -> Issuer:
    return Issuer(identity)


@pytest.fixture
def forge(identity: LocalIdentity) -> Forge:
    return Forge(identity, PUSH, typ="JWT")


@pytest.fixture
def services(issuer: Issuer) -> ServiceTokens:
    return ServiceTokens(issuer.keys, clock=lambda: NOON, leeway_seconds=0)


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize("name", sorted(GOOGLE_ISSUERS))
def test_knows_the_service_account_that_it_expects(
    name: str, forge: Forge, services: ServiceTokens
) -> None:
    token = forge.claims(iss=name)
    assert services.verify(token, audience=ADDRESS, email=PUSHER) == ServiceCaller("1101", PUSHER)


@pytest.mark.req("SEC-5", "LOC-1")
def test_knows_the_services_of_the_local_stack(identity: LocalIdentity, issuer: Issuer) -> None:
    local = ServiceTokens(issuer.keys, clock=lambda: NOON, issuers=frozenset({ISSUER}))
    token = identity.issue_oidc_token(email=PUSHER, audience=ADDRESS)
    assert local.verify(token, audience=ADDRESS, email=PUSHER).email == PUSHER
    abroad = ServiceTokens(issuer.keys, clock=lambda: NOON)
    with pytest.raises(Unauthenticated):
        abroad.verify(token, audience=ADDRESS, email=PUSHER)


OTHERS = (
    *("attacker@project.iam.gserviceaccount.com", PUSHER.upper(), PUSHER + ".evil", "a@b"),
    PUSHER.replace("project", "other"),
)
BAD_SERVICES: list[tuple[str, str, Make]] = [
    *(("TOKEN_MALFORMED", name, make) for name, make in (SHAPES | CONTENTS).items()),
    *(("TOKEN_ALGORITHM", name, make) for name, make in ALGORITHMS.items()),
    *(("TOKEN_KEY_UNKNOWN", name, make) for name, make in KEYS.items()),
    *(("TOKEN_SIGNATURE", name, make) for name, make in SIGNATURES.items()),
    *(
        (code, f"{claim} {'missing' if value is MISSING else json.dumps(value)}"[:50], make)
        for code, claim, values in (
            (
                "TOKEN_ISSUER",
                "iss",
                (MISSING, None, 1, "", [GOOGLE], GOOGLE + "/", "google.com", ISSUER),
            ),
            (
                "TOKEN_AUDIENCE",
                "aud",
                (MISSING, None, 1, "", [ADDRESS], ADDRESS + "/", "*", GOOGLE),
            ),
            ("TOKEN_CLAIMS", "exp", (MISSING, *NO_TIME, T + 86_401)),
            ("TOKEN_CLAIMS", "iat", (MISSING, *NO_TIME)),
            ("TOKEN_CLAIMS", "sub", (MISSING, *NO_TEXT)),
            ("TOKEN_CLAIMS", "email", (MISSING, *NO_TEXT)),
            ("TOKEN_NOT_YET_VALID", "iat", (T + 1,)),
            ("SERVICE_ACCOUNT_REFUSED", "email", OTHERS),
            (
                "SERVICE_ACCOUNT_REFUSED",
                "email_verified",
                (MISSING, None, False, "true", 1, "True", [True], {"a": 1}),
            ),
        )
        for value in values
        for make in [lambda f, claim=claim, value=value: f.claims(**{claim: value})]
    ),
    ("TOKEN_EXPIRED", "expired", lambda f: f.claims(iat=T - 9, exp=T)),
    ("TOKEN_CLAIMS", "an access token's type", lambda f: f.header(typ="at+jwt")),
    ("TOKEN_CLAIMS", "a confirmation's type", lambda f: f.header(typ="step-up+jwt")),
    ("TOKEN_MISSING", "nothing", lambda f: None),
]


@pytest.mark.req("SEC-5")
@pytest.mark.parametrize(
    ("code", "make"),
    [pytest.param(code, make, id=f"{code}-{name}") for code, name, make in BAD_SERVICES],
)
def test_refuses_a_service(code: str, make: Make, forge: Forge, services: ServiceTokens) -> None:
    token = make(forge)
    with pytest.raises((Unauthenticated, Forbidden)) as refused:
        services.verify(token, audience=ADDRESS, email=PUSHER)
    assert (refused.value.area, refused.value.code) == ("IAM", code)
    assert isinstance(refused.value, ServiceAccountRefused) == (code == "SERVICE_ACCOUNT_REFUSED")
    assert SECRET not in f"{refused.value} {refused.value.detail} {refused.value.extra}"
