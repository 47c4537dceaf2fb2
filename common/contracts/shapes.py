"""The base of everything on the wire: strict, frozen, camelCase, and closed to unknown fields.

Errors never repeat the input: what was wrong is named by its place, so that no guest's data and no
card number travels in a problem document or a log.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from common.contracts.fields import Cursor, Digits


class Shape(BaseModel):
    """A document that comes in or goes out."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        hide_input_in_errors=True,
        ser_json_bytes="hex",
        defer_build=True,
    )


class Request(Shape):
    """What a caller asks, path and query included."""


class Outcome(Shape):
    """What a use case answers. A log may tell the size of a sum in it and the kind of a charge."""

    @property
    def moved_minor_units(self) -> int | None:
        """The sum that was moved, in its currency's minor units; None where none was."""
        return None

    @property
    def charged_kind(self) -> str | None:
        """The one kind of all that was charged; None where there is no such kind."""
        return None


class Incoming(Shape):
    """Data of an event of another service: fields that we do not know yet are passed over."""

    model_config = ConfigDict(extra="ignore")


class ListRequest(Request):
    """A list: `limit` items (1-200) after the place that `cursor` names."""

    limit: Annotated[int, Field(ge=1, le=200), Digits] = 50
    cursor: Cursor | None = None
