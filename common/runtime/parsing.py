"""From bytes to a typed request, strictly: what two parsers could read differently is refused.

The body is decoded as UTF-8 and parsed once; duplicate keys, NaN, numbers without end, half
surrogate pairs and anything but an object are refused. The path joins the body as further fields,
and the whole is validated from JSON by the request's model, under the names of the wire alone.
"""

import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from common.runtime.problems import BodyTooLarge, ContentTypeUnsupported, RequestInvalid, invalid

M = TypeVar("M", bound=BaseModel)


def body_of(request: Any, bytes_max: int) -> dict[str, Any]:
    """The JSON object of a body.

    Refuses: BodyTooLarge, ContentTypeUnsupported, RequestInvalid.
    """
    raw = raw_body(request, bytes_max, "application/json")
    if not raw:
        return {}
    if request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise ContentTypeUnsupported("Send UTF-8.")
    return json_object(raw)


def raw_body(request: Any, bytes_max: int, takes: str) -> bytes:
    """The bytes of the body, at most so many. Refuses: BodyTooLarge, ContentTypeUnsupported."""
    if request.headers.get("Content-Encoding", "identity") != "identity":
        raise ContentTypeUnsupported("Send the body without content encoding.")
    if (request.content_length or 0) > bytes_max:
        raise BodyTooLarge(f"At most {bytes_max} bytes.")
    try:
        raw: bytes = request.stream.read(bytes_max + 1)
    except Exception:  # noqa: BLE001 - each server has errors of its own for a body that breaks off
        raise RequestInvalid.at("The body cannot be read to its end.") from None
    if len(raw) < (request.content_length or 0):
        raise RequestInvalid.at("The body is shorter than its Content-Length.")
    if len(raw) > bytes_max:
        raise BodyTooLarge(f"At most {bytes_max} bytes.")
    if raw and request.mimetype != takes:
        raise ContentTypeUnsupported(f"Send {takes}.")
    return raw


def json_object(raw: bytes) -> dict[str, Any]:
    """Parse one JSON object. Refuses: RequestInvalid."""
    try:
        document = _DECODER.decode(raw.decode("utf-8"))
    except UnicodeDecodeError:
        raise RequestInvalid.at("The body is not UTF-8.") from None
    except RecursionError:
        raise RequestInvalid.at(_TOO_DEEP) from None
    except ValueError as error:
        raise RequestInvalid.at(f"The body is not JSON: {_harmless(error)}.") from None
    if not isinstance(document, dict):
        raise RequestInvalid.at("The body is not a JSON object.")
    return document


def read(model: type[M], document: Mapping[str, Any]) -> M:
    """Validate what came as JSON. Refuses: RequestInvalid, CardDataFound, refusals of a field."""
    try:
        text = json.dumps(document, ensure_ascii=False).encode()
        return model.model_validate_json(text, by_alias=True, by_name=False)
    except UnicodeEncodeError:
        raise RequestInvalid.at("A text holds half of a surrogate pair.") from None
    except RecursionError:
        raise RequestInvalid.at(_TOO_DEEP) from None
    except ValidationError as error:
        if error.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid":
            raise RequestInvalid.at(_TOO_DEEP) from None
        raise invalid(error) from None


def read_texts(model: type[M], texts: Mapping[str, str | bytes]) -> M:
    """Validate what came as text, path and query, and perhaps a body that is not JSON.

    Refuses as `read` does.
    """
    try:
        return model.model_validate(texts, strict=False, by_alias=True, by_name=False)
    except ValidationError as error:
        raise invalid(error) from None


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that came in two places as one document. Refuses one that is given in both."""
    for name in one:
        if name in other:
            raise RequestInvalid.at("This is given in two places.", name)
    return {**one, **other}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise ValueError("a key is given twice")
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _harmless(error: ValueError) -> str:
    """What was wrong, without a word of what was sent."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return str(error) if str(error) in _OWN_WORDS else "a number is too long"


_TOO_DEEP = "The body is nested too deeply."
_OWN_WORDS = {
    "a key is given twice",
    "NaN is no JSON",
    "Infinity is no JSON",
    "-Infinity is no JSON",
}

_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
