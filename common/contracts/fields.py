"""The field types of requests, answers and events: each reads one thing strictly or says what is
wrong.

Integers are integers, ids have their prefix, money is `{"amountMicro": 12500000, "currency":
"USD"}`. Free text is bounded, holds no control characters, and is searched for card numbers; the
text itself goes nowhere. What a rule of the domain refuses is an error at its place, as any other.

A `Token` is not searched: it is the id of something in another system, and one long number in ten
would pass for a card's. What a processor gave in place of a card is, as nothing is pasted there as
easily as the card's own number.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from common.contracts.references import Typed, placed
from common.domain.business_date import TimeZoneUnknown, zone_of
from common.domain.card_data import find_card_number
from common.domain.money import MAX_AMOUNT_MICRO, Currency, Money
from common.domain.prepaid_terms import CREDITS_MICRO_MAX

T = TypeVar("T")
R = TypeVar("R")

CARD_DATA: Final = "card_data"
# Compiled with the first text that comes in: who is asked only does not need them (PERF-1).
_FORBIDDEN = (
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters, but for tabs and line breaks
    "\u202d\u202e"  # they write a text backwards: an amount on paper would not be what it says
    "\ufdd0-\ufdef\ufffe\uffff]"  # no characters at all
)
_LINE_BREAK = "[\t\n\r\u2028\u2029]"
_WHOLE = re.compile(r"-?[0-9]{1,16}", re.ASCII)


CurrencyCode = Annotated[Currency, Typed(Currency, "^[A-Z]{3}$", "USD")]


class _MoneyField:
    """`{"amountMicro": integer, "currency": ISO 4217}`; refusals of the domain pass through."""

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        shape = core_schema.typed_dict_schema(
            {
                "amountMicro": core_schema.typed_dict_field(
                    core_schema.int_schema(
                        strict=True,
                        metadata={
                            "pydantic_js_updates": {
                                "minimum": -MAX_AMOUNT_MICRO,
                                "maximum": MAX_AMOUNT_MICRO,
                                "description": "Millionths of the currency's unit.",
                                "examples": [12500000],
                            }
                        },
                    )
                ),
                "currency": core_schema.typed_dict_field(
                    core_schema.no_info_after_validator_function(
                        placed(Currency),
                        core_schema.str_schema(strict=True, max_length=64),
                        serialization=core_schema.to_string_ser_schema(),
                        metadata={
                            "pydantic_js_updates": {"pattern": "^[A-Z]{3}$", "examples": ["USD"]}
                        },
                    )
                ),
            },
            extra_behavior="forbid",
        )
        read = core_schema.no_info_after_validator_function(placed(_read_money), shape)
        return core_schema.json_or_python_schema(
            json_schema=read,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(Money), read]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                _write_money, return_schema=shape
            ),
        )


def _read_money(shape: dict[str, Any]) -> Money:
    return Money(shape["amountMicro"], shape["currency"])


def _write_money(money: Money) -> dict[str, Any]:
    return {"amountMicro": money.amount_micro, "currency": str(money.currency)}


Amount = Annotated[Money, _MoneyField()]
"""Any signed amount, in micro units; unit prices may be finer than the minor unit."""

Payable = Annotated[Money, _MoneyField(), AfterValidator(placed(Money.in_minor_units))]
"""An amount that can be posted: whole minor units of its currency."""


def _not_negative(money: Money) -> Money:
    if money.amount_micro < 0:
        raise PydanticCustomError("negative", "The amount is less than nothing")
    return money


AmountNotNegative = Annotated[Payable, AfterValidator(_not_negative)]
"""Nothing or more, in whole minor units: what somebody counted, or may be off by."""

AmountOfUnits = Annotated[Amount, AfterValidator(_not_negative)]
"""Nothing or more, and finer than the minor unit if need be: what a number of units costs."""


def _clean(text: str) -> str:
    if re.search(_FORBIDDEN, text):
        raise PydanticCustomError("control_character", "Text holds no control characters")
    if text.isspace():
        raise PydanticCustomError("blank", "Text is more than blanks")
    return text


def _one_line(text: str) -> str:
    if re.search(_LINE_BREAK, text):
        raise PydanticCustomError("line_break", "A name stands on one line")
    return text


def no_card_number(text: str) -> str:
    """The text, unless what a card's number looks like stands in it."""
    if find_card_number(text):
        raise PydanticCustomError(CARD_DATA, "This looks like a card number")
    return text


FreeText = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=500),
    AfterValidator(_clean),
    AfterValidator(no_card_number),
    Field(examples=["Agreed by telephone"]),
]
"""What a person wrote: 1 to 500 characters, no card number in it."""

Name = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=200),
    AfterValidator(_clean),
    AfterValidator(_one_line),
    AfterValidator(no_card_number),
    Field(examples=["Zarmina Ahmadi"]),
]
"""A person's, a company's or a place's name, 1 to 200 characters."""

Token = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")
]
"""A reference or key of another system: 1 to 128 visible ASCII characters."""

QuoteToken = Annotated[
    str,
    StringConstraints(
        strict=True, max_length=8192, pattern=r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$"
    ),
    Field(examples=["eyJhbGciOiJIUzI1NiJ9.eyJ2ZXJzaW9uIjoxfQ.6Qm3vNs2gq0Wm1cY1rG8d4n5yq0"]),
]
"""A quote as it was signed (JWS in its compact form): opaque to the client, who hands it back."""

TaxNumber = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=64, pattern=r"^[\x20-\x7e]+$")
]
"""A tax number as its office writes it. Not searched: a French one has a card's check digit."""

Cursor = Annotated[str, StringConstraints(strict=True, max_length=400, pattern=r"^[A-Za-z0-9_-]+$")]
"""Where a page of a list ended: opaque to the client, which hands it back as it was given."""

PersonRef = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$"),
    Field(examples=["usr_karim"]),
]
"""A person as the identity service names them: the `sub` of their tokens."""

PaymentToken = Annotated[Token, AfterValidator(no_card_number)]
"""What a processor gave in place of a card; a card number itself is refused."""

Word = Annotated[
    str,
    StringConstraints(strict=True, min_length=1, max_length=40, pattern=r"^[a-z][a-z0-9_]*$"),
    AfterValidator(no_card_number),
]
"""A name that the hotel gives to a part of a folio, such as `company`."""

Language = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
"""A language tag, such as `en` or `fa-AF`."""


def _known_zone(name: str) -> str:
    try:
        zone_of(name)
    except TimeZoneUnknown:
        raise TimeZoneUnknown() from None  # without the name: an error never repeats what was sent
    return name


ZoneName = Annotated[
    str, StringConstraints(strict=True, max_length=64), AfterValidator(placed(_known_zone))
]
"""A time zone of the IANA database, such as `Asia/Kabul`."""


def _localised(value: Any) -> Any:
    return {"und": value} if isinstance(value, str) else value


LocalisedText = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^(und|[a-z]{2,3}(-[A-Z]{2})?)$")], FreeText],
    Field(min_length=1, max_length=12),
    BeforeValidator(_localised, json_schema_input_type=FreeText | dict[str, FreeText]),
]
"""A text, or the same text in several languages: `{"en": "Breakfast", "de": "Frühstück"}`."""


def _quantity(text: str) -> str:
    value = Decimal(text)
    if not 0 < value <= 100_000:
        raise PydanticCustomError("quantity", "A quantity is more than 0, at most 100000")
    return text


Quantity = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?$"),
    AfterValidator(_quantity),
    Field(examples=["2"]),
]
"""A decimal string, more than 0 and at most 100,000, with at most 6 places."""

Rate = Annotated[
    str,
    StringConstraints(strict=True, pattern=r"^[0-9]{1,12}(\.[0-9]{1,12})?$"),
    Field(examples=["1.0852"]),
]
"""A rate of exchange as a decimal string, at most 12 places."""


class _Written:
    """Reads what is written in one form only: pydantic takes a number of seconds for a day, too."""

    def __init__(self, form: str, name: str, example: str) -> None:
        self.form = form
        self.extra = {"format": name, "examples": [example]}

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        text = core_schema.str_schema(
            strict=True, pattern=self.form, metadata={"pydantic_js_updates": self.extra}
        )
        written = core_schema.chain_schema([text, {**handler(source), "strict": False}])
        return core_schema.json_or_python_schema(
            json_schema=written,
            python_schema=core_schema.no_info_wrap_validator_function(_as_it_is, written),
        )


def _as_it_is(value: Any, read: Callable[[Any], Any]) -> Any:
    return read(value) if isinstance(value, str) else value


def _within_the_calendar(instant: datetime) -> datetime:
    try:
        instant.astimezone(UTC)
    except OverflowError:
        message = "An instant lies in the years 1 to 9999 of UTC"
        raise PydanticCustomError("instant", message) from None
    return instant


def _digits(number: Any) -> Any:
    if isinstance(number, str) and not _WHOLE.fullmatch(number):
        raise PydanticCustomError("whole_number", "A whole number is written in digits")
    return number


Digits = BeforeValidator(_digits)
"""For a whole number that comes as text, in a query: digits and nothing else."""

Instant = Annotated[
    AwareDatetime,
    _Written(
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
        r"(Z|[+-][0-9]{2}:[0-9]{2})$",
        "date-time",
        "2026-03-01T10:15:00Z",
    ),
    AfterValidator(_within_the_calendar),
]
Day = Annotated[date, _Written(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "date", "2026-03-01")]
CreditsMicro = Annotated[
    int,
    Field(
        ge=1,
        le=CREDITS_MICRO_MAX,
        description="Micro credits: a million of them are a credit.",
        examples=[1_500_000],
    ),
]
