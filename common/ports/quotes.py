"""Quotes that leave the house signed, and come back (BEY-5).

Signing is arithmetic under a key that the process holds, and asks nobody: so it is a power of the
transaction, and a quote costs no round trip more than the change that it quotes.
"""

from __future__ import annotations  # the name below is for the type checker, not for a start

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from common.domain.subscription_quote import Quote


class Quotes(Protocol):
    """Signs quotes, and knows its own again."""

    def token_of(self, quote: Quote) -> str:
        """The quote as a signed token (JWS, RFC 7515), by the key that signs now."""

    def read(self, token: str) -> Quote:
        """The quote in a token that one of the keys in use has signed. Refuses: QuoteInvalid."""
