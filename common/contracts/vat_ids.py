"""VAT numbers of the Union: read by their form and check digits, and asked of nobody.

A number that is well formed may still be nobody's: whether it is in use is known by the tax offices
alone (VIES), and asking them is no part of a bill, which would stop when they do not answer.
"""

from typing import Final

PREFIXES: Final = {"GR": "EL"}
"""Where a number does not begin with its country (ISO 3166): Greece's begin with EL."""


def vat_id_of(text: str, country: str) -> str | None:
    """The VAT number that a text is, without blanks and dots, if it is one of that country."""
    from stdnum.eu import vat  # where a bill is taxed, and nowhere else
    from stdnum.exceptions import ValidationError

    try:
        compact: str = vat.validate(text)
    except ValidationError:
        return None
    return compact if compact.startswith(PREFIXES.get(country, country)) else None
