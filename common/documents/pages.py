"""Answers for people: what a function found, drawn as the page that its declaration names.

A page is sent with the policy under which a browser runs and fetches nothing. Its own address may
hold a document's hash or a folio's id, so it is told to nobody as a referrer.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from werkzeug.wrappers import Response

from common.documents import (
    account_statement_page,
    aged_receivables_page,
    figure_tables,
    statement_page,
    tables,
    verification_page,
)
from common.documents.drawing import GlyphMissing
from common.documents.vocabulary import LanguageUnknown
from common.ports.powers import NotPrintable

HTML: Final = "text/html"
PDF: Final = "application/pdf"
CSV: Final = "text/csv"
Document = Mapping[str, Any]

DRAWN: Final[Mapping[tuple[str, str], Callable[[Document], str | bytes]]] = {
    ("verification", HTML): verification_page.verification_page,
    ("statement", HTML): statement_page.statement_html,
    ("statement", PDF): statement_page.statement_pdf,
    ("account_statement", HTML): account_statement_page.account_statement_html,
    ("account_statement", PDF): account_statement_page.account_statement_pdf,
    ("aged_receivables", HTML): aged_receivables_page.aged_receivables_html,
    ("aged_receivables", PDF): aged_receivables_page.aged_receivables_pdf,
    ("aged_receivables", CSV): tables.aged_receivables_csv,
    ("revenue_figures", CSV): figure_tables.revenue_csv,
    ("subscription_figures", CSV): figure_tables.subscriptions_csv,
    ("credit_figures", CSV): figure_tables.credits_csv,
    ("rows_behind", CSV): figure_tables.rows_csv,
}
POLICIES: Final[Mapping[str, Callable[[], str]]] = {
    "verification": verification_page.content_security_policy,
    "statement": statement_page.content_security_policy,
    "account_statement": statement_page.content_security_policy,
    "aged_receivables": statement_page.content_security_policy,
}


def page(name: str, media_type: str, document: Document) -> Response:
    """The page of that name about a function's answer.

    Raises KeyError for a page that was never made. Refuses: NotPrintable.
    """
    draw = DRAWN[name, media_type]
    try:
        drawn = draw(document)
    except (GlyphMissing, LanguageUnknown, statement_page.StatementTooLong):
        raise NotPrintable() from None
    response = Response(drawn, content_type=_typed(media_type))
    response.headers["Referrer-Policy"] = "no-referrer"
    if media_type == CSV:
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    elif media_type == HTML:
        response.headers["Content-Security-Policy"] = POLICIES[name]()
    else:
        response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    return response


def _typed(media_type: str) -> str:
    match media_type:
        case "text/html":
            return f"{media_type}; charset=utf-8"
        case "text/csv":
            return f"{media_type}; charset=utf-8; header=present"
        case _:
            return media_type
