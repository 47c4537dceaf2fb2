"""The document as it was hashed and signed, read back for the eye.

What the page shows is the stored payload and nothing else, so the payload is read strictly: money
is whole micro units (a millionth of the currency's unit), never a float, and a field of another
shape stops the render instead of printing something that the hash does not cover. Fields that this
version does not print are left alone: the payload may know more than a page.

Every text is made legible on the way in (`legible`), so no page can forget it. Personal data stand
beside the payload and may have been erased since.
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from common.documents.legible import legible
from common.domain.money import MAX_AMOUNT_MICRO

MAX_LINES = 1000
CREDIT_NOTE_SCHEMA = "melmastoon.billing.credit_note/1"

Text = Annotated[str, AfterValidator(legible)]
CurrencyCode = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
MicroAmount = Annotated[int, Field(ge=-MAX_AMOUNT_MICRO, le=MAX_AMOUNT_MICRO)]
RatePpm = Annotated[int, Field(ge=0, le=10**9)]
Factor = Annotated[Decimal, Field(max_digits=30, decimal_places=18)]


class _Part(BaseModel):
    """Strict, frozen, silent about its input: a refusal must not carry a guest's name to a log."""

    model_config = ConfigDict(
        strict=True, frozen=True, alias_generator=to_camel, hide_input_in_errors=True
    )


_AnyPart = TypeVar("_AnyPart", bound=_Part)


class Issuer(_Part):
    """The hotel, as the law wants it named."""

    name: Text
    address_lines: tuple[Text, ...]
    tax_id: Text | None
    country: Text
    logo_sha256: str | None = None


class Stay(_Part):
    """Nights from arrival to departure."""

    from_: date = Field(alias="from")
    to: date


class LineTax(_Part):
    """A tax on one line; the page names its code."""

    code: Text


class Line(_Part):
    """One charge."""

    description: Text
    quantity: Factor
    unit_amount_micro: MicroAmount
    net_micro: MicroAmount
    gross_micro: MicroAmount
    service_date: date
    taxes: tuple[LineTax, ...]


class Tax(_Part):
    """One rate of the breakdown; a tax by the night has no rate."""

    code: Text
    name: Text
    rate_ppm: RatePpm | None
    base_micro: MicroAmount
    amount_micro: MicroAmount


class Totals(_Part):
    """The sums as they were issued; a page adds nothing up."""

    net_micro: MicroAmount
    tax_micro: MicroAmount
    gross_micro: MicroAmount
    paid_micro: MicroAmount
    rounding_micro: MicroAmount
    due_micro: MicroAmount


class Payment(_Part):
    """What a guest gave, and what it settled in the invoice's currency."""

    method: Text
    paid_micro: MicroAmount
    paid_currency: CurrencyCode
    amount_micro: MicroAmount
    business_date: date


class RateSnapshot(_Part):
    """One unit of `base` was worth `rate` of `quote` when the money changed hands."""

    base: CurrencyCode
    quote: CurrencyCode
    rate: Factor
    source: Text
    taken_at: AwareDatetime


class ForeignExchange(_Part):
    """The pinned rates, and what was lost or won by them in the invoice's currency."""

    snapshots: tuple[RateSnapshot, ...]
    difference_micro: MicroAmount | None


class HomeTaxGroup(_Part):
    """A row of the breakdown in the currency of the tax office."""

    code: Text
    rate_ppm: RatePpm | None
    amount_micro: MicroAmount


class HomeTax(_Part):
    """The tax once more, in the currency in which the law wants it said, and by which rate."""

    currency: CurrencyCode
    rate: RateSnapshot
    groups: tuple[HomeTaxGroup, ...]
    tax_micro: MicroAmount


class Invoice(_Part):
    """The signed payload."""

    schema_: Literal["melmastoon.billing.invoice/1"] = Field(alias="schema")
    type: Literal["invoice"]
    number: Text
    issued_at: AwareDatetime
    business_date: date
    issuer: Issuer
    folio_id: Text
    reservation_id: Text | None
    stay: Stay | None
    currency: CurrencyCode
    lines: Annotated[tuple[Line, ...], Field(max_length=MAX_LINES)]
    tax_breakdown: tuple[Tax, ...]
    totals: Totals
    payments: tuple[Payment, ...]
    fx: ForeignExchange | None
    tax_in_home_currency: HomeTax | None = None


class Corrected(_Part):
    """The invoice that a credit note corrects."""

    number: Text
    business_date: date


class CreditedLine(_Part):
    """What is taken off one charge."""

    description: Text
    net_micro: MicroAmount
    gross_micro: MicroAmount
    service_date: date
    taxes: tuple[LineTax, ...]


class CreditTotals(_Part):
    """The sums of a credit note as they were issued."""

    net_micro: MicroAmount
    tax_micro: MicroAmount
    rounding_micro: MicroAmount
    total_micro: MicroAmount


class CreditNote(_Part):
    """The signed payload of a credit note."""

    schema_: Literal["melmastoon.billing.credit_note/1"] = Field(alias="schema")
    type: Literal["credit_note"]
    number: Text
    issued_at: AwareDatetime
    business_date: date
    issuer: Issuer
    folio_id: Text
    invoice: Corrected
    currency: CurrencyCode
    lines: Annotated[tuple[CreditedLine, ...], Field(max_length=MAX_LINES)]
    tax_breakdown: tuple[Tax, ...]
    totals: CreditTotals
    tax_in_home_currency: HomeTax | None = None


class Personal(_Part):
    """Whom it was billed to; empty once erased."""

    name: Text | None = None
    address_lines: tuple[Text, ...] = ()
    tax_id: Text | None = None


def read_invoice(payload: Mapping[str, object]) -> Invoice:
    """The payload by the rules of JSON. Raises `ValueError` when it has another shape."""
    return _read(Invoice, payload)


def read_credit_note(payload: Mapping[str, object]) -> CreditNote:
    """The payload by the rules of JSON. Raises `ValueError` when it has another shape."""
    return _read(CreditNote, payload)


def read_personal(personal: Mapping[str, object]) -> Personal:
    """The personal data beside it. Raises `ValueError` when they have another shape."""
    return _read(Personal, personal)


def _read(part: type[_AnyPart], fields: Mapping[str, object]) -> _AnyPart:
    try:
        return part.model_validate_json(json.dumps(fields))
    except ValidationError as misshapen:
        errors = misshapen.errors(include_input=False, include_url=False, include_context=False)
        places = (f"{'.'.join(map(str, error['loc']))}: {error['type']}" for error in errors[:5])
        raise ValueError(f"{part.__name__} misshapen at {', '.join(places)}") from None
