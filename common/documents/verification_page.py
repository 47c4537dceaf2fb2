"""The answer to a guest who scanned the QR code: is this invoice genuine?

INV-8: the page says what the verify function found and nothing personal. One glance must do, and a
doubt never looks like a yes: the invoice is called genuine only when the payload matches and its
signature is valid. The page has no script, fetches nothing and holds one style sheet, so that it
can be served under `content_security_policy()`, which allows that style sheet and nothing else. It
speaks the language of the document that the guest holds; English where we know none.
"""

from collections.abc import Mapping
from datetime import date

from common.documents.filling import filled, policy_with, style_of
from common.documents.legible import legible
from common.documents.localised import Localised
from common.documents.page import Labelled
from common.documents.vocabulary import LanguageUnknown


def verification_page(result: Mapping[str, object]) -> str:
    """The HTML page for a result of the verify function.

    `result` holds `valid` (bool), and for a document that exists also `signature` (valid,
    unknown_key, broken), `status` (issued, credited, voided), `number`, `date` (ISO 8601),
    `issuer` and `language`.
    """
    here = _in_the_language_of(result)
    words = here.words.verification
    verdict = _verdict(result)
    return filled(
        "verification",
        style=style_of("verification"),
        language=here.language,
        direction=here.words.direction,
        title=words.title,
        verdict=verdict,
        headline=getattr(words, verdict),
        detail=getattr(words, f"{verdict}_detail"),
        facts=_facts(result, here),
    )


def content_security_policy() -> str:
    """The policy under which the page is whole and a browser runs and fetches nothing."""
    return policy_with(style_of("verification"))


def _in_the_language_of(result: Mapping[str, object]) -> Localised:
    try:
        return Localised.into(str(result.get("language")))
    except LanguageUnknown:
        return Localised.into("en")


def _verdict(result: Mapping[str, object]) -> str:
    if result.get("valid") is True and result.get("signature") == "valid":
        return "genuine" if result.get("status") == "issued" else "corrected"
    if result.get("signature") == "pending":
        return "pending"
    return "changed" if result.get("status") else "unknown"


def _facts(result: Mapping[str, object], here: Localised) -> tuple[Labelled, ...]:
    words, verification = here.words, here.words.verification
    facts = (
        (words.number, _text(result, "number")),
        (words.issuer, _text(result, "issuer")),
        (words.issue_date, _day(result, here)),
        (verification.status, _word(result, "status", verification.statuses)),
        (verification.signature, _word(result, "signature", verification.signatures)),
    )
    return tuple(Labelled(label, here.text(value)) for label, value in facts if value)


def _text(result: Mapping[str, object], name: str) -> str:
    value = result.get(name)
    return legible(value) if isinstance(value, str) else ""


def _word(result: Mapping[str, object], name: str, words: Mapping[str, str]) -> str:
    value = _text(result, name)
    return words.get(value, value)


def _day(result: Mapping[str, object], here: Localised) -> str:
    value = _text(result, "date")
    return here.long_day(date.fromisoformat(value[:10])) if value else ""
