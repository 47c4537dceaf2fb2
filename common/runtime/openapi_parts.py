"""What stands in the OpenAPI document beside the models: headers, tokens, problems."""

from collections.abc import Iterable
from http import HTTPStatus
from itertools import count
from typing import Any, Final

from common.domain.refusal import Refusal
from common.runtime.declaration import CSV, HTML, PDF, XML, ZIP, HttpDeclaration
from common.runtime.openapi_schemas import REFERENCE
from common.runtime.problem_catalogue import Problem, problem_of
from common.runtime.problems import TYPE_PREFIX

PROBLEM: Final = "application/problem+json"
EXAMPLE: Final = "#/components/examples/"
HEADER: Final = "#/components/headers/"
RESPONSE: Final = "#/components/responses/"

ACCESS_TOKEN: Final = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "The identity service's access token. The scope that a function needs is named "
    "beside it; a tenant's data is reached with a token of that tenant only.",
}
STEP_UP_TOKEN: Final = {
    "type": "string",
    "description": "A fresh confirmation by a second factor, bound to what is asked here. "
    "Works once.",
    "examples": ["eyJhbGciOiJFUzI1NiJ9.e30.c2ln"],
}
DRAWN: Final = {
    HTML: {"schema": {"type": "string", "contentMediaType": HTML}},
    PDF: {"schema": {"type": "string", "contentMediaType": PDF}},
    XML: {"schema": {"type": "string", "contentMediaType": XML}},
    CSV: {"schema": {"type": "string", "contentMediaType": CSV}},
    ZIP: {"schema": {"type": "string", "contentMediaType": ZIP}},
}
IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Makes the request safe to send again: the same key with the same request is "
    "answered the same for 30 days, and takes effect once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$"},
    "example": "till-3-000172",
}
IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag that was read: 412 when the resource has changed since.",
    "schema": {"type": "string"},
    "example": '"7"',
}
SIGNATURE: Final = {
    "name": "Stripe-Signature",
    "in": "header",
    "required": True,
    "description": "When the body was sent, and HMAC-SHA256 over that and its bytes, one for each "
    "secret that is in use.",
    "schema": {"type": "string", "maxLength": 1024},
    "example": "t=1772359200,v1=" + "0" * 64,
}
HEADERS: Final = {
    "ETag": {
        "description": "The version of the resource, for If-Match.",
        "schema": {"type": "string"},
    },
    "Location": {"description": "Where to go.", "schema": {"type": "string", "format": "uri"}},
    "Idempotency-Replayed": {
        "description": "`true` when this is the stored answer to an earlier request.",
        "schema": {"type": "string", "const": "true"},
    },
    "RateLimit-Limit": {
        "description": "Calls in a window.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Remaining": {
        "description": "Calls left in this window.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Reset": {
        "description": "Seconds until the next window.",
        "schema": {"type": "integer"},
    },
    "traceresponse": {
        "description": "The trace of this request (W3C).",
        "schema": {"type": "string"},
    },
}
PROBLEM_SCHEMA: Final = {
    "type": "object",
    "description": "What went wrong (RFC 9457). Act on `code` alone.",
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path that was called."},
        "code": {"type": "string", "pattern": "^MELMASTOON\\.[A-Z]+\\.[A-Z_]+$"},
        "traceId": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "The places in the request that are wrong.",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "message": {"type": "string"}},
                "required": ["pointer", "message"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "instance", "code", "traceId"],
}


def headers_of(declaration: HttpDeclaration) -> dict[str, Any]:
    """The headers that an answer may carry."""
    fields = declaration.answer.model_fields
    names = ["traceresponse"]
    names += ["ETag"] if "version" in fields and not declaration.root else []
    names += ["Location"] if "location" in fields else []
    names += ["Idempotency-Replayed"] if declaration.changes_state else []
    names += [name for name in HEADERS if name.startswith("RateLimit") and declaration.limits]
    return {name: {"$ref": HEADER + name} for name in sorted(names)}


class ProblemResponses:
    """One response a status, with every code that it can carry; the same one stands once."""

    def __init__(self) -> None:
        self.components: dict[str, Any] = {}

    def of(self, refusals: Iterable[type[Refusal]]) -> dict[str, Any]:
        """The responses of a function, by status."""
        by_status: dict[int, list[Problem]] = {}
        for refusal in refusals:
            problem = problem_of(refusal)
            by_status.setdefault(problem.status, []).append(problem)
        return {
            str(status): {"$ref": RESPONSE + self._name(status, problems)}
            for status, problems in by_status.items()
        }

    def _name(self, status: int, problems: list[Problem]) -> str:
        response = _response(problems)
        phrase = HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")
        for number in count(1):
            name = phrase if number == 1 else f"{phrase}{number}"
            if self.components.setdefault(name, response) == response:
                break
        return name


def problem_example(problem: Problem) -> dict[str, Any]:
    """How a problem reads."""
    return {
        "type": TYPE_PREFIX + problem.name.lower().replace("_", "-"),
        "title": problem.title,
        "status": problem.status,
        "detail": problem.title,
        "instance": "/api/v1/folios",
        "code": problem.code,
        "traceId": "0af7651916cd43dd8448eb211c80319c",
    }


def _response(problems: list[Problem]) -> dict[str, Any]:
    codes = [each.code for each in problems]
    return {
        "description": "; ".join(f"{each.name}: {each.title}" for each in problems),
        "content": {
            PROBLEM: {
                "schema": {
                    "allOf": [{"$ref": f"{REFERENCE}Problem"}],
                    "properties": {"code": {"enum": codes}},
                },
                "examples": {code: {"$ref": EXAMPLE + code} for code in codes},
            }
        },
    }
