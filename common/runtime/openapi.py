"""The OpenAPI 3.1 document, generated from the declarations and their models (API-1).

It is committed as common/contracts/openapi.json, and a test fails when it is stale: what a client
reads is what the code does. Consumers of events are not in it; nobody calls them but Pub/Sub.
"""

import inspect
import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any, Final

from pydantic import BaseModel

from common.domain.refusal import Refusal
from common.runtime.declaration import JSON, HttpDeclaration
from common.runtime.exchange import camel
from common.runtime.http import STEP_UP_FIELD
from common.runtime.openapi_parts import (
    ACCESS_TOKEN,
    DRAWN,
    HEADERS,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    PROBLEM_SCHEMA,
    SIGNATURE,
    STEP_UP_TOKEN,
    ProblemResponses,
    headers_of,
    problem_example,
)
from common.runtime.openapi_schemas import (
    REFERENCE,
    Mode,
    Schema,
    example_of,
    example_of_field,
    inlined,
    referred,
    schemas_of,
    without,
)
from common.runtime.problem_catalogue import Problem, known_problems, refusals_of

API_VERSION: Final = "1.0.0"
TITLE: Final = "Melmastoon Billing"
ABOUT: Final = """\
Folios, payments and invoices of hotels.

Money is an integer of micro units with an ISO 4217 code. A request that changes state may carry an
`Idempotency-Key`, and must where money moves: the same key with the same request answers the same
again and has one effect. Lists are paged by an opaque cursor. Everything that goes wrong is
answered as `application/problem+json` (RFC 9457) with a stable `code`; `x-problems` lists them.
"""
_PARAMETER: Final = re.compile(r"\{(\w+)\}")


class PathDeclaredTwice(ValueError):
    """Two functions are declared for the same method and path."""


def openapi(declarations: Iterable[HttpDeclaration]) -> dict[str, Any]:
    """The document for these functions. Raises PathDeclaredTwice."""
    return _Document(list(declarations)).whole()


class _Document:
    def __init__(self, declarations: list[HttpDeclaration]) -> None:
        self._declarations = declarations
        models: list[tuple[type[BaseModel], Mode]] = []
        for each in declarations:
            models += [(each.request, "validation"), (each.answer, "serialization")]
        self._references, self._schemas = schemas_of(models)
        self._bodies: dict[str, Schema] = {}
        self._refused = ProblemResponses()

    def whole(self) -> dict[str, Any]:
        paths = self._paths()
        problems = known_problems()
        areas = sorted({declaration.area for declaration in self._declarations})
        return {
            "openapi": "3.1.0",
            "info": {"title": TITLE, "version": API_VERSION, "description": ABOUT},
            "servers": [{"url": "http://127.0.0.1:8080", "description": "The laptop's stack"}],
            "tags": [{"name": area, "description": _about(f"functions.{area}")} for area in areas],
            "paths": paths,
            "components": {
                "securitySchemes": {"accessToken": ACCESS_TOKEN},
                "headers": HEADERS,
                "responses": dict(sorted(self._refused.components.items())),
                "schemas": self._used([paths, self._refused.components]),
                "examples": {
                    code: {"value": problem_example(each)} for code, each in problems.items()
                },
            },
            "x-problems": {code: _listed(each) for code, each in problems.items()},
        }

    def _paths(self) -> dict[str, dict[str, Any]]:
        paths: dict[str, dict[str, Any]] = {}
        for declaration in self._declarations:
            path = _PARAMETER.sub(lambda found: f"{{{camel(found[1])}}}", declaration.full_path)
            operations = paths.setdefault(path, {})
            if declaration.method.lower() in operations:
                raise PathDeclaredTwice(f"{declaration.method} {declaration.full_path}")
            operations[declaration.method.lower()] = self._operation(declaration)
        return {path: dict(sorted(each.items())) for path, each in sorted(paths.items())}

    def _used(self, document: list[Any]) -> dict[str, Schema]:
        """The schemas that a document refers to, and those that these refer to."""
        everything = {**self._schemas, **self._bodies, "Problem": PROBLEM_SCHEMA}
        names = referred(document, everything)
        return {name: everything[name] for name in sorted(names)}

    def _operation(self, declaration: HttpDeclaration) -> dict[str, Any]:
        limits = [
            {"quota": each.quota, "windowSeconds": each.window_seconds, "per": each.per}
            for each in declaration.counted
        ]
        operation = {
            "operationId": declaration.name,
            "tags": [declaration.area],
            "summary": declaration.summary,
            "description": _about(declaration.module),
            "parameters": self._parameters(declaration),
            "requestBody": self._body(declaration),
            "responses": self._responses(declaration),
            "x-step-up": declaration.step_up or None,
            "x-rate-limits": limits,
        }
        scopes = (declaration.scope, declaration.platform_scope)
        either = dict.fromkeys(scope for scope in scopes if declaration.scope and scope)
        security = [{"accessToken": [scope]} for scope in either]
        return {key: each for key, each in operation.items() if each} | {"security": security}

    def _parameters(self, declaration: HttpDeclaration) -> list[dict[str, Any]]:
        schema = self._request(declaration)
        fields, required = schema.get("properties", {}), schema.get("required", [])
        path = _in_path(declaration)
        parameters = [self._parameter("path", name, fields[name], must=True) for name in path]
        parameters += [
            self._parameter("query", name, fields[name], must=name in required)
            for name in _in_query(declaration, list(fields))
        ]
        if declaration.changes_state:
            parameters.append({**IDEMPOTENCY_KEY, "required": declaration.moves_money})
        if declaration.etag:
            parameters.append(IF_MATCH)
        if declaration.signed_by:
            parameters.append(SIGNATURE)
        return parameters

    def _parameter(self, place: str, name: str, schema: Schema, *, must: bool) -> dict[str, Any]:
        choices = [each for each in schema.get("anyOf", []) if each.get("type") != "null"]
        plain = choices[0] if len(choices) == 1 else schema  # a parameter is absent, never null
        parameter = {"name": name, "in": place, "required": must, "schema": plain}
        if must:
            parameter["example"] = example_of_field(name, plain, self._schemas, whole=False)
        return parameter

    def _body(self, declaration: HttpDeclaration) -> dict[str, Any] | None:
        if declaration.method == "GET":
            return None
        if declaration.is_raw:
            return {"required": True, "content": {declaration.takes: {}}}  # any bytes
        elsewhere = [*_in_path(declaration), *_switches(declaration)]
        schema = without(self._request(declaration), elsewhere)
        if declaration.step_up:
            schema["properties"] = {**schema["properties"], STEP_UP_FIELD: STEP_UP_TOKEN}
            schema["required"] = [*schema.get("required", []), STEP_UP_FIELD]
        if not schema["properties"]:
            return None
        name = declaration.request.__name__
        self._bodies[name] = schema
        shown = example_of(schema, self._schemas, whole=False)
        content = {JSON: {"schema": {"$ref": REFERENCE + name}, "example": shown}}
        return {"required": bool(schema.get("required")), "content": content}

    def _responses(self, declaration: HttpDeclaration) -> dict[str, Any]:
        answer = declaration.answer
        schema = self._references[(answer, "serialization")]
        shown = example_of(schema, self._schemas, whole=True)
        said = {"schema": schema, "example": shown}
        content = {given: DRAWN.get(given, said) for given in declaration.given}
        content |= {media_type: DRAWN[media_type] for media_type in declaration.pages}
        responses = self._refused.of(self._refusals(declaration))
        if hasattr(answer, "http_status"):
            responses["503"] = {"description": "Not now.", "content": content}
        responses[str(declaration.status)] = {
            "description": _paragraph(answer.__doc__),
            "headers": headers_of(declaration),
            "content": content,
        }
        return dict(sorted(responses.items()))

    def _refusals(self, declaration: HttpDeclaration) -> list[type[Refusal]]:
        return refusals_of(declaration, inlined(self._request(declaration), self._schemas))

    def _request(self, declaration: HttpDeclaration) -> Schema:
        reference: str = self._references[(declaration.request, "validation")]["$ref"]
        return self._schemas[reference.removeprefix(REFERENCE)]


def _in_path(declaration: HttpDeclaration) -> list[str]:
    return [camel(name) for name in _PARAMETER.findall(declaration.full_path)]


def _switches(declaration: HttpDeclaration) -> list[str]:
    return [camel(name) for name in declaration.switches]


def _in_query(declaration: HttpDeclaration, names: list[str]) -> list[str]:
    """Fields that come neither in the path nor in the body."""
    if declaration.method == "GET":
        return [name for name in names if name not in _in_path(declaration)]
    if declaration.takes == JSON:
        return _switches(declaration)
    return [name for name in names if name != "content"]


def _listed(problem: Problem) -> dict[str, Any]:
    listed = {"status": problem.status, "title": problem.title, "meaning": problem.meaning}
    return {key: value for key, value in listed.items() if value}


def _about(module: str) -> str:
    return inspect.cleandoc(import_module(module).__doc__ or "")


def _paragraph(words: str | None) -> str:
    return " ".join(inspect.cleandoc(words or "").split("\n\n", 1)[0].split())
