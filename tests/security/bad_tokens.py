"""Hundreds of access tokens that must not pass, under the code that each is refused with.

They are whole tokens, most of them signed properly: what is wrong with each stands in its name.
"""

import json
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import utils

from tests.security.forging import (
    GOOD,
    HOUSE,
    ISSUER,
    MISSING,
    P256_ORDER,
    TENANT,
    Forge,
    T,
    spelled,
)

Make = Callable[[Forge], str | None]
BOM, DEEP = b"\xef\xbb\xbf", b"[" * 2000 + b"]" * 2000

# fmt: off
SHAPES: dict[str, Make] = {
    "a space": lambda f: " ",
    "a word": lambda f: "token",
    "two dots": lambda f: "..",
    "two parts": lambda f: ".".join(f.parts()[:2]),
    "four parts": lambda f: f.claims() + ".AAAA",
    "an encrypted token": lambda f: "eyJhbGciOiJSU0EtT0FFUCJ9.AA.AA.AA.AA",
    "ten megabytes": lambda f: "a" * 10_000_000,
    "ten megabytes of parts": lambda f: "a." * 5_000_000,
    "too long, but good": lambda f: f.claims(pad="x" * 8192),
    "a space behind": lambda f: f.claims() + " ",
    "a line feed behind": lambda f: f.claims() + "\n",
    "a line feed before": lambda f: "\n" + f.claims(),
    "a NUL inside": lambda f: f.claims().replace(".", ".\0", 1),
    "a lone surrogate": lambda f: f.claims() + "\ud800",
    "full-width dots": lambda f: f.claims().replace(".", "．"),
    "two tokens": lambda f: f.claims() + "," + f.claims(),
    "a padded signature": lambda f: f.claims() + "==",
    "a padded payload": lambda f: "{}.{}==.{}".format(*f.parts()),
    "a padded header": lambda f: "{}=.{}.{}".format(*f.parts()),
    "an empty payload": lambda f: "{0}..{2}".format(*f.parts()),
    "plain base64": lambda f: "{}.{}.+/+/".format(*f.parts()),
    "an impossible length": lambda f: "{}.{}.A".format(*f.parts()),
    "a loose end of the header": lambda f: f.loose_end(0),
    "a loose end of the payload": lambda f: f.loose_end(1),
    "a loose end of the signature": lambda f: f.loose_end(2),
    "a header that is no JSON": lambda f: f.raw(header=b"alg=ES256"),
    "a header that is a list": lambda f: f.raw(header=b'["alg"]'),
    "a header that is a text": lambda f: f.raw(header=b'"ES256"'),
    "a header that is null": lambda f: f.raw(header=b"null"),
    "a header in UTF-16": lambda f: f.raw(header=spelled(f.head()).decode().encode("utf-16")),
    "a header with a BOM": lambda f: f.raw(header=BOM + spelled(f.head())),
    "a header that is no text": lambda f: f.raw(header=b"\xff\xfe\xfd"),
    "alg twice": lambda f: f.header_also(b',"alg":"none"'),
    "kid twice": lambda f: f.header_also(b',"kid":"k"'),
    "NaN in the header": lambda f: f.header_also(b',"n":NaN'),
    "a header nested deeply": lambda f: f.header_also(b',"n":' + DEEP),
    "kid that is SQL": lambda f: f.header(kid="x' UNION SELECT 'key' --"),
    "kid empty": lambda f: f.header(kid=""),
    "kid null": lambda f: f.header(kid=None),
    "kid a number": lambda f: f.header(kid=1),
    "kid a list": lambda f: f.header(kid=[f.kid()]),
    "kid an object": lambda f: f.header(kid={"a": 1}),
    "kid too long": lambda f: f.header(kid="k" * 129),
    "kid with a line feed": lambda f: f.header(kid=f.kid() + "\n"),
    "kid with a NUL": lambda f: f.header(kid="key\0.pem"),
    "kid with a surrogate": lambda f: f.header(kid="\ud800"),
    "its own key along": lambda f: f.stranger(bring_key=True),
    "its own key along, no kid": lambda f: f.stranger(bring_key=True, kid=MISSING),
    "jku": lambda f: f.stranger(jku="https://evil.example/jwks.json"),
    "jku with a good signature": lambda f: f.header(jku="https://evil.example/"),
    "x5u": lambda f: f.stranger(x5u="https://evil.example/cert.pem"),
    "x5c": lambda f: f.stranger(x5c=["MIIB"]),
    "crit": lambda f: f.header(crit=["exp"], exp=T + 9),
    "crit empty": lambda f: f.header(crit=[]),
    "crit null": lambda f: f.header(crit=None),
    "crit unknown": lambda f: f.header(crit=["x"], x=True),
    "b64 false": lambda f: f.header(b64=False, crit=["b64"]),
    "b64 false, not critical": lambda f: f.header(b64=False),
    "b64 true": lambda f: f.header(b64=True),
    "zip": lambda f: f.header(zip="DEF"),
    "enc": lambda f: f.header(enc="A256GCM"),
    "typ null": lambda f: f.header(typ=None),
    "typ a number": lambda f: f.header(typ=1),
    "typ a list": lambda f: f.header(typ=["at+jwt"]),
}
CONTENTS: dict[str, Make] = {  # well signed, and not to be read all the same
    "a payload that is no JSON": lambda f: f.raw(b"sub=usr_layla"),
    "a payload that is a list": lambda f: f.raw(b"[]"),
    "a payload that is a number": lambda f: f.raw(b"1"),
    "a payload that is null": lambda f: f.raw(b"null"),
    "a payload in UTF-16": lambda f: f.raw(spelled(GOOD).decode().encode("utf-16")),
    "a payload with a BOM": lambda f: f.raw(BOM + spelled(GOOD)),
    "a payload that is no text": lambda f: f.also(b',"name":"\xff"'),
    "a payload cut off": lambda f: f.raw(spelled(GOOD)[:-1]),
    "a payload nested deeply": lambda f: f.also(b',"n":' + DEEP),
    "an endless number": lambda f: f.also(b',"n":' + b"9" * 5000),
    "Infinity": lambda f: f.also(b',"n":Infinity'),
    "exp twice": lambda f: f.also(b',"exp":9999999999'),
    "sub twice": lambda f: f.also(b',"sub":"usr_omar"'),
    "a name twice deep inside": lambda f: f.also(b',"act":{"a":1,"a":2}'),
}
UNSIGNED = ("none", "None", "NONE", "nOnE", "", None, 0, True, [], ["ES256"], {}, {"ES256": 1})
FOREIGN = (
    "HS256", "HS384", "HS512", "RS384", "RS512", "PS256", "PS384", "ES384", "ES512", "ES256K",
    "EdDSA", "Ed25519", "dir", "RSA-OAEP", "none", "es256", "ES256 ", "ES256\0", "ＥＳ256",
    "RS256,ES256", MISSING,
)
ALGORITHMS: dict[str, Make] = {
    "HS256 with the public key": lambda f: f.hmac(f.pem()),
    "HS256 with the public key, stripped": lambda f: f.hmac(f.pem().strip()),
    "HS512 with the public key": lambda f: f.hmac(f.pem(), "HS512"),
    "HS256 with nothing": lambda f: f.hmac(b""),
    "RS256 of a key that does ES256": lambda f: f.header(alg="RS256"),
    "ES256 of a key that does RS256": lambda f: f.header("RS256", alg="ES256"),
    "a key of the other kind named": lambda f: f.header(kid=f.kid("RS256")),
} | {f"unsigned {alg!r}": lambda f, alg=alg: f.unsigned(alg=alg) for alg in UNSIGNED
} | {f"alg {alg!r}": lambda f, alg=alg: f.header(alg=alg) for alg in FOREIGN}
STRANGE_KIDS = (
    "somebody-elses", "../../../../dev/null", "file:///etc/passwd", "https://evil.example/k.json",
    "'OR/**/1=1--", "|id", "$(id)", "%00", MISSING,
)
KEYS: dict[str, Make] = {
    "kid in other letters": lambda f: f.header(kid=f.kid().swapcase()),
} | {f"kid {kid!r}": lambda f, kid=kid: f.header(kid=kid) for kid in STRANGE_KIDS}
SIGNATURES: dict[str, Make] = {
    "no signature": lambda f: "{}.{}.".format(*f.parts()),
    "zeros": lambda f: f.signature(lambda s: bytes(64)),
    "cut short": lambda f: f.signature(lambda s: s[:-1]),
    "grown": lambda f: f.signature(lambda s: s + b"\0"),
    "twice": lambda f: f.signature(lambda s: s + s),
    "halves swapped": lambda f: f.signature(lambda s: s[32:] + s[:32]),
    "the first bit turned": lambda f: f.signature(lambda s: bytes([s[0] ^ 128]) + s[1:]),
    "the last bit turned": lambda f: f.signature(lambda s: s[:-1] + bytes([s[-1] ^ 1])),
    "r the order of the curve": lambda f: f.signature(lambda s: P256_ORDER.to_bytes(32) + s[32:]),
    "s the order of the curve": lambda f: f.signature(lambda s: s[:32] + P256_ORDER.to_bytes(32)),
    "in DER": lambda f: f.signature(
        lambda s: utils.encode_dss_signature(int.from_bytes(s[:32]), int.from_bytes(s[32:]))
    ),
    "a stranger's": lambda f: f.stranger(),
    "of another payload": lambda f: "{}.{}.{}".format(
        f.parts()[0], f.parts(jti="another-one")[1], f.parts()[2]
    ),
    "of another header": lambda f: "{}.{}.{}".format(
        f.header(x5t="thumb").split(".")[0], *f.parts()[1:]
    ),
    "RSA, cut short": lambda f: f.signature(lambda s: s[:-1], "RS256"),
    "RSA, zeros": lambda f: f.signature(lambda s: bytes(256), "RS256"),
    "RSA, grown": lambda f: f.signature(lambda s: b"\0" + s, "RS256"),
}
TYPES = (
    "", "step-up+jwt", "Step-Up+JWT", "dpop+jwt", "secevent+jwt", "logout+jwt", "JOSE", "at+jwt ",
)
OTHER_TYPES: dict[str, Make] = {
    f"typ {typ!r}": lambda f, typ=typ: f.header(typ=typ) for typ in TYPES
}
NO_TIME = (
    None, "", str(T), True, False, float(T), 1e300, -1, -T, 10**12, 2**53, 2**63, 10**30, [T],
    {"t": T},
)
NO_TEXT = (
    None, "", 1, True, 1.5, [], {}, ["u"], "x" * 256, "é",
    "a b", "a\n", "a\0", "\ud800", "لیلا", "lаyla",
)
NO_UUID = (
    None, "", 7, True, [], {}, "7f1b0c9e", TENANT.hex, f"{{{TENANT}}}", TENANT.urn, f"{TENANT} ",
    f"{TENANT}\n", f"../{TENANT}", "x" * 36, "٧f1b0c9e-0000-4000-8000-000000000001",
)
NO_LIST = (None, "", 1, True, {}, "billing.folio.read", str(HOUSE))
WRONG: dict[str, tuple[str, tuple[object, ...]]] = {
    "iss": ("TOKEN_ISSUER", (
        MISSING, None, "", 1, True, [ISSUER], {"iss": ISSUER}, ISSUER + "/", ISSUER.upper(),
        ISSUER[:-1], " " + ISSUER, "https://identity.example.evil", "accounts.google.com",
    )),
    "aud": ("TOKEN_AUDIENCE", (
        MISSING, None, "", 1, True, [], ["billing-service"], ["billing-service", "other"], "*",
        {"billing-service": 1}, "Billing-Service", "billing-service ", "billing-service,other",
        "billing",
    )),
    "exp": ("TOKEN_CLAIMS", (MISSING, *NO_TIME, T, T - 1, T + 86_401)),
    "iat": ("TOKEN_CLAIMS", (MISSING, *NO_TIME)),
    "nbf": ("TOKEN_CLAIMS", NO_TIME),
    "sub": ("TOKEN_CLAIMS", (MISSING, *NO_TEXT)),
    "tenantId": ("TOKEN_CLAIMS", (MISSING, *NO_UUID)),
    "propertyIds": ("TOKEN_CLAIMS", (
        MISSING, *NO_LIST, *([each] for each in NO_UUID), [str(HOUSE), None], [[str(HOUSE)]],
    )),
    "scopes": ("TOKEN_CLAIMS", (
        MISSING, *NO_LIST, [None], [1], [True], [""], [[]], ["a\n"], ['a"b'], ["a\\b"], ["x" * 129],
        ["billing.folio.read billing.folio.write"], ["ﬀ"], ["\ud800"],
    )),
    "auth_strength": ("TOKEN_CLAIMS", (
        MISSING, None, "", 1, True, [], ["mfa"], {"mfa": 1}, "MFA", "none", "password", "mfa ",
    )),
}
# fmt: on


def name_of(value: object) -> str:
    return "missing" if value is MISSING else json.dumps(value)[:30]


GROUPS: tuple[tuple[str, dict[str, Make]], ...] = (
    ("TOKEN_MISSING", {"nothing": lambda f: None, "an empty text": lambda f: ""}),
    ("TOKEN_MALFORMED", SHAPES | CONTENTS),
    ("TOKEN_ALGORITHM", ALGORITHMS),
    ("TOKEN_KEY_UNKNOWN", KEYS),
    ("TOKEN_SIGNATURE", SIGNATURES),
    ("TOKEN_CLAIMS", OTHER_TYPES),
)
CORPUS = [(code, name, make) for code, group in GROUPS for name, make in group.items()] + [
    (code, f"{claim} {name_of(value)}", lambda f, c=claim, v=value: f.claims(**{c: v}))
    for claim, (code, values) in WRONG.items()
    for value in values
]
