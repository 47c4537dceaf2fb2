"""Quotes as tokens: JSON Web Signatures under a key that only this service holds (BEY-5).

Who made a quote is a question of nobody but us, and we ask it of ourselves: so the signature is an
HMAC-SHA-256 (HS256, RFC 7518), made and proven in the process, and not one of KMS, which would make
each preview wait for a call and each commit for another one. A key is named by the beginning of its
own SHA-256 (`kid`). The first key signs, all of them prove: for a rotation the new one is put
behind the old one, then before it, and after a quarter of an hour the old one goes. The algorithm
and the type of the token are fixed, whatever it says of itself. PyJWT loads with the first quote.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Final

from common.domain.canonical import canonical
from common.domain.subscription_quote import Quote, QuoteInvalid

ALGORITHM: Final = "HS256"
TYPE: Final = "quote+jws"
KEY_CHARACTERS_MIN: Final = 32


class QuoteKeyWeak(Exception):
    """There is no key, or one that could be guessed."""


class QuoteTokens:
    """Implements Quotes. Raises QuoteKeyWeak."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys or any(len(key) < KEY_CHARACTERS_MIN for key in keys):
            raise QuoteKeyWeak(f"a key for quotes has {KEY_CHARACTERS_MIN} characters at least")
        self._keys = {_name_of(key): key.encode() for key in keys}
        self._signing = _name_of(keys[0])

    def token_of(self, quote: Quote) -> str:
        """The quote as a token, by the first key."""
        from jwt import PyJWS

        return PyJWS().encode(
            canonical(quote.claims()),
            self._keys[self._signing],
            algorithm=ALGORITHM,
            headers={"kid": self._signing, "typ": TYPE},
        )

    def read(self, token: str) -> Quote:
        """The quote in a token of ours. Refuses: QuoteInvalid."""
        return Quote.of(self._claims(token))

    def _claims(self, token: str) -> dict[str, Any]:
        from jwt import PyJWS, PyJWTError

        jws = PyJWS()
        try:
            header = jws.get_unverified_header(token)
            key = self._keys.get(str(header.get("kid")))
            if key is None or header.get("typ") != TYPE:
                raise QuoteInvalid()
            claims = json.loads(jws.decode(token, key, algorithms=[ALGORITHM]))
        except (PyJWTError, ValueError, RecursionError):
            raise QuoteInvalid() from None
        if not isinstance(claims, dict):
            raise QuoteInvalid()
        return claims


def _name_of(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:16]
