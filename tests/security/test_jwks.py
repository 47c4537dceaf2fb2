"""Where keys come from, how often they are fetched, and what the laptop's issuer keeps."""

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from common.local.identity import LocalIdentity
from common.runtime.authentication import (
    AccessTokens,
    KeysUnavailable,
    TokenKeyUnknown,
    Unauthenticated,
)
from tests.security.bad_tokens import ALGORITHMS, SHAPES
from tests.security.forging import (
    ISSUER,
    MISSING,
    NOON,
    Clock,
    Forge,
    Issuer,
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
def own(tmp_path: Path) -> Issuer:
    """An issuer of this test's own, whose keys it may turn over."""
    return Issuer(LocalIdentity(tmp_path / "keys", issuer=ISSUER, clock=lambda: NOON))


def kid(issuer: Issuer) -> str:
    return issuer.identity.signing_key("ES256").kid


@pytest.mark.req("SEC-1")
def test_fetches_keys_once_in_eight_minutes(issuer: Issuer) -> None:
    """479 s: the first fetch serves. 480 s is 80 % of ten minutes: the second. 960 s: the third."""
    for second, fetches in ((0, 1), (1, 1), (479, 1), (480, 2), (500, 2), (959, 2), (960, 3)):
        issuer.seconds = second
        assert issuer.keys.key(kid(issuer)) is not None
        assert issuer.fetches == fetches


@pytest.mark.req("SEC-1")
def test_learns_a_new_key_at_once_and_forgets_an_old_one_within_ten_minutes(own: Issuer) -> None:
    old = kid(own)
    assert own.keys.key(old)
    own.identity.rotate()
    own.seconds = 1
    assert own.keys.key(kid(own))
    assert own.fetches == 2
    assert own.keys.key(old)
    own.identity.retire()
    own.seconds = 481
    assert own.keys.key(old) is None


@pytest.mark.req("SEC-1")
def test_refuses_the_tokens_of_a_retired_key(own: Issuer) -> None:
    tokens = AccessTokens(own.keys, issuer=ISSUER, clock=Clock())
    token = Forge(own.identity).claims()
    tokens.verify(token)
    own.identity.rotate()
    own.identity.retire()
    own.seconds = 480
    with pytest.raises(TokenKeyUnknown):
        tokens.verify(token)
    assert tokens.verify(Forge(own.identity).claims()).sub == "usr_layla"


@pytest.mark.req("SEC-1")
def test_answers_a_flood_of_invented_keys_with_one_fetch_in_half_a_minute(issuer: Issuer) -> None:
    """60,000 names in 60 s: the first fetch, one at once for the unknown, one at 30 s, at 60 s."""
    assert issuer.keys.key(kid(issuer))
    for number in range(60_001):
        issuer.seconds = number / 1000
        assert issuer.keys.key(f"invented-{number}") is None
    assert issuer.fetches == 4


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("name", [*SHAPES, *(each for each in ALGORITHMS if "key" not in each)])
def test_fetches_nothing_for_a_token_whose_look_is_enough(name: str, issuer: Issuer) -> None:
    tokens = AccessTokens(issuer.keys, issuer=ISSUER, clock=Clock())
    token = (SHAPES | ALGORITHMS)[name](Forge(issuer.identity))
    with pytest.raises(Unauthenticated):
        tokens.verify(token)
    assert issuer.fetches == 0


@pytest.mark.req("SEC-1")
def test_serves_on_with_old_keys_while_the_issuer_is_down(issuer: Issuer) -> None:
    """Down for a day: every question is answered, at one fetch in half a minute; then as ever."""
    assert issuer.keys.key(kid(issuer))
    issuer.down = True
    for second in range(480, 86_880, 10):
        issuer.seconds = second
        assert issuer.keys.key(kid(issuer))
        assert issuer.keys.key("invented") is None
    assert issuer.fetches == 1 + 86_400 // 30
    assert len(issuer.troubles) == 86_400 // 30
    issuer.down = False
    for later, fetches in ((30, 1), (479, 0), (1, 1)):
        before, issuer.seconds = issuer.fetches, issuer.seconds + later
        assert issuer.keys.key(kid(issuer))
        assert issuer.fetches - before == fetches


@pytest.mark.req("SEC-1")
def test_knows_nobody_before_the_first_keys_came(issuer: Issuer) -> None:
    tokens = AccessTokens(issuer.keys, issuer=ISSUER, clock=Clock())
    issuer.down = True
    token = Forge(issuer.identity).claims()
    for _ in range(100):
        with pytest.raises(KeysUnavailable) as refused:
            tokens.verify(token)
    assert (refused.value.code, issuer.fetches) == ("TOKEN_KEYS_UNAVAILABLE", 1)
    issuer.down = False
    issuer.seconds = 2
    assert tokens.verify(token).sub == "usr_layla"


BROKEN_SETS = {
    "nothing": b"",
    "a page": b"<html>502 Bad Gateway</html>",
    "null": b"null",
    "a list": b"[]",
    "an object": b"{}",
    "keys null": b'{"keys":null}',
    "keys an object": b'{"keys":{}}',
    "no keys": b'{"keys":[]}',
    "keys that are none": b'{"keys":[null,1,"k",[]]}',
    "a shared secret": b'{"keys":[{"kty":"oct","kid":"h","k":"c2VjcmV0"}]}',
    "no text": b"\xff\xfe",
    "a deep nest": b"[" * 100_000,
    "too much": b'{"keys":[' + b'{"kty":"oct"},' * 30_000 + b"{}]}",
}


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("name", BROKEN_SETS)
def test_takes_a_broken_key_set_for_an_outage(name: str, issuer: Issuer) -> None:
    assert issuer.keys.key(kid(issuer))
    issuer.body, issuer.seconds = BROKEN_SETS[name], 480
    assert issuer.keys.key(kid(issuer))
    assert (issuer.fetches, len(issuer.troubles)) == (2, 1)


def published(identity: LocalIdentity, algorithm: str, **changed: object) -> dict[str, object]:
    jwk = next(key for key in identity.jwks()["keys"] if key["alg"] == algorithm)
    changed = {"kid": "odd"} | changed
    return {name: value for name, value in (jwk | changed).items() if value is not MISSING}


def fresh(key: Any) -> dict[str, object]:
    maker = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**maker.to_jwk(key.public_key(), as_dict=True), "kid": "odd"}


SHARED = {"kty": "oct", "kid": "odd", "k": "c2VjcmV0"}
ODD_KEYS: dict[str, Callable[[LocalIdentity], object]] = {
    "a shared secret": lambda i: SHARED | {"alg": "HS256"},
    "a shared secret that calls itself RS256": lambda i: SHARED | {"alg": "RS256"},
    "an RSA key for HS256": lambda i: published(i, "RS256", alg="HS256"),
    "an RSA key with a secret": lambda i: published(i, "RS256", k="c2VjcmV0"),
    "an RSA key for PS256": lambda i: published(i, "RS256", alg="PS256"),
    "an RSA key for encryption": lambda i: published(i, "RS256", use="enc"),
    "an RSA key of 1024 bits": lambda i: fresh(rsa.generate_private_key(65537, 1024)),
    "an RSA key that is private": lambda i: published(i, "RS256", d="AQAB"),
    "an RSA key without a name": lambda i: published(i, "RS256", kid=MISSING),
    "an RSA key with a number for a text": lambda i: published(i, "RS256", n=7),
    "an RSA key of nonsense": lambda i: published(i, "RS256", n="!!!"),
    "an RSA key with exponent one": lambda i: published(i, "RS256", e="AQ"),
    "an RSA key that does not verify": lambda i: published(i, "RS256", key_ops=["encrypt"]),
    "an RSA key with odd operations": lambda i: published(i, "RS256", key_ops="verify"),
    "an EC key for ES384": lambda i: published(i, "ES256", alg="ES384"),
    "an EC key on P-384": lambda i: fresh(ec.generate_private_key(ec.SECP384R1())),
    "an EC key on secp256k1": lambda i: fresh(ec.generate_private_key(ec.SECP256K1())),
    "an EC key off its curve": lambda i: published(i, "ES256", x=base64url(bytes(32))),
    "an EC key cut short": lambda i: published(i, "ES256", x="AAAA"),
    "an Edwards key": lambda i: {"kty": "OKP", "crv": "Ed25519", "kid": "odd", "x": "A" * 43},
    "a key whose name has a space": lambda i: published(i, "ES256", kid="odd "),
    "a key without a kind": lambda i: published(i, "ES256", kty=MISSING),
    "no key at all": lambda i: "odd",
}


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("name", ODD_KEYS)
def test_leaves_out_a_key_and_keeps_the_others(name: str, issuer: Issuer) -> None:
    listed = [ODD_KEYS[name](issuer.identity), *issuer.identity.jwks()["keys"]]
    issuer.body = json.dumps({"keys": listed}).encode()
    assert issuer.keys.key(kid(issuer)) is not None
    assert issuer.keys.key("odd") is None
    assert issuer.keys.key("odd ") is None


def test_takes_a_plain_key(issuer: Issuer) -> None:
    """The counterpart to the odd ones: what they change is what they are left out for."""
    for plain in (
        published(issuer.identity, "RS256", use=MISSING, alg=MISSING, key_ops=["verify"]),
        published(issuer.identity, "ES256"),
    ):
        issuer.body = json.dumps({"keys": [plain]}).encode()
        issuer.seconds += 480
        assert issuer.keys.key("odd") is not None


def test_reads_no_endless_key_set(issuer: Issuer) -> None:
    first, second = issuer.identity.jwks()["keys"]
    fillers = [{"kty": "oct", "kid": f"k{n}"} for n in range(63)]
    issuer.body = json.dumps({"keys": [first, *fillers, second]}).encode()
    assert issuer.keys.key(first["kid"])
    assert issuer.keys.key(second["kid"]) is None


class SlowIssuer(Issuer):
    """An issuer whose answer can be held back: a fetch says that it began, and waits to go on."""

    def __init__(self, identity: LocalIdentity) -> None:
        super().__init__(identity)
        self.began = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def fetch(self) -> bytes:
        self.began.set()
        assert self.go_on.wait(30)
        return super().fetch()


@pytest.mark.req("SEC-1")
def test_lets_one_caller_refresh_while_the_others_go_on_with_the_old_keys(
    identity: LocalIdentity,
) -> None:
    slow = SlowIssuer(identity)
    assert slow.keys.key(kid(slow))
    slow.seconds = 480
    slow.began.clear()
    slow.go_on.clear()
    caller = threading.Thread(target=slow.keys.key, args=(kid(slow),))
    caller.start()
    assert slow.began.wait(30)
    for _ in range(100):
        assert slow.keys.key(kid(slow))  # answered although the fetch has not ended
    slow.go_on.set()
    caller.join(30)
    assert slow.fetches == 2


@pytest.mark.req("SEC-1")
@pytest.mark.parametrize("situation", ["no keys yet", "a new key", "keys of ten minutes"])
def test_fetches_once_for_many_callers_at_once(situation: str, own: Issuer) -> None:
    slow = SlowIssuer(own.identity)
    if situation != "no keys yet":
        slow.keys.key(kid(slow))
        slow.fetches = 0
        slow.began.clear()
    if situation == "a new key":
        own.identity.rotate()
        slow.seconds = 60
    elif situation == "keys of ten minutes":
        slow.seconds = 600
    slow.go_on.clear()
    answers: list[object] = []
    asked = kid(slow)
    callers = [
        threading.Thread(target=lambda: answers.append(slow.keys.key(asked))) for _ in range(16)
    ]
    for caller in callers:
        caller.start()
    assert slow.began.wait(30)
    slow.go_on.set()
    for caller in callers:
        caller.join(30)
    assert (len(answers), all(answers), slow.fetches) == (16, True, 1)


@pytest.mark.req("LOC-1")
def test_keeps_its_keys_for_the_next_start_and_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first = LocalIdentity(folder, issuer=ISSUER, clock=lambda: NOON)
    again = LocalIdentity(folder, issuer=ISSUER, clock=lambda: NOON)
    assert first.jwks() == again.jwks()
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert modes == {"0001-es256.pem": 0o600, "0001-rs256.pem": 0o600}


@pytest.mark.req("LOC-1")
def test_agrees_on_one_pair_of_keys_when_started_several_times_at_once(tmp_path: Path) -> None:
    seen: list[object] = []
    start = threading.Barrier(3)

    def begin() -> None:
        start.wait()
        seen.append(LocalIdentity(tmp_path / "keys", issuer=ISSUER, clock=lambda: NOON).jwks())

    run_all([begin] * 3)
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.req("LOC-1")
def test_publishes_no_private_number_and_names_keys_by_their_thumbprint(
    identity: LocalIdentity,
) -> None:
    elliptic, rivest = identity.jwks()["keys"]
    assert elliptic.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert rivest.keys() == {"kty", "n", "e", "kid", "use", "alg"}
    members = {name: rivest[name] for name in ("e", "kty", "n")}
    thumbprint = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    assert rivest["kid"] == base64url(thumbprint)
