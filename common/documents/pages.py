"""Answers for people: what a function found, as the HTML page that its declaration names.

A page is sent with the policy under which a browser runs and fetches nothing. Its own address holds
a document's hash, so it is told to nobody as a referrer.
"""

from collections.abc import Callable, Mapping
from typing import Final

from werkzeug.wrappers import Response

from common.documents.verification_page import content_security_policy, verification_page

PAGES: Final[Mapping[str, tuple[Callable[[Mapping[str, object]], str], Callable[[], str]]]] = {
    "verification": (verification_page, content_security_policy),
}


def page(name: str, document: Mapping[str, object]) -> Response:
    """The page of that name about a function's answer. Raises KeyError for an unknown page."""
    html, policy = PAGES[name]
    return Response(
        html(document),
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": policy(), "Referrer-Policy": "no-referrer"},
    )
