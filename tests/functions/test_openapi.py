"""The documents that are made from the declarations say what the code does, and are not stale."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from common.cli.generated import DOCUMENTS, load_refusals, root
from common.contracts.shapes import Outcome, Request
from common.domain.refusal import Conflict
from common.local.functions import declarations, http_declarations, job_declarations
from common.ports.transaction import Transaction
from common.runtime.declaration import HttpDeclaration, declaration_of, http_function
from common.runtime.function_map import NameDeclaredTwice, function_map
from common.runtime.openapi import PathDeclaredTwice, openapi
from common.runtime.parsing import read
from common.runtime.problem_catalogue import known_problems
from common.runtime.problems import full_code

Operation = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    load_refusals()
    return openapi(http_declarations())


def operations(document: dict[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


@pytest.mark.req("API-1", "API-2")
@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_committed_is_what_the_code_says(name: str) -> None:
    assert (root() / name).read_text(encoding="utf-8") == DOCUMENTS[name](), "run `make openapi`"


@pytest.mark.req("API-1")
def test_the_document_keeps_to_openapi(document: dict[str, Any]) -> None:
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


@pytest.mark.req("API-1", "API-2")
def test_every_function_is_in_the_document_and_in_the_map(document: dict[str, Any]) -> None:
    named = {operation["operationId"] for _, operation in operations(document)}
    everything = [*declarations(), *job_declarations()]

    assert named == {each.name for each in http_declarations()}
    assert set(function_map(everything)) == {each.name for each in everything}


@pytest.mark.req("API-1")
def test_every_example_of_a_request_is_taken(document: dict[str, Any]) -> None:
    """By the model itself, path and query included: what a reader copies is not refused."""
    by_name = {each.name: each for each in http_declarations()}
    for place, operation in operations(document):
        declaration = by_name[operation["operationId"]]
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        given = {
            each["name"]: each["example"]
            for each in operation.get("parameters", [])
            if each["in"] in ("path", "query") and each["required"]
        }
        example = dict(body.get("example", {}))
        if declaration.step_up:
            assert example.pop("stepUpToken"), place  # the edge's own, and no part of the request
        if not declaration.is_raw:
            assert read(declaration.request, {**given, **example}), place


@pytest.mark.req("API-1")
def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    for place, operation in operations(document):
        responses = [each for each in operation["responses"].values() if "content" in each]
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        for media in (each["content"].get("application/json") for each in [*responses, *bodies]):
            if media:
                schema = {**media["schema"], "components": document["components"]}
                errors = list(Draft202012Validator(schema).iter_errors(media["example"]))
                assert errors == [], place


@pytest.mark.req("API-1")
def test_scopes_and_keys_are_told(document: dict[str, Any]) -> None:
    by_name = {operation["operationId"]: operation for _, operation in operations(document)}
    charge, verify = by_name["post_charge"], by_name["verify_invoice"]

    headers = {each["name"]: each["required"] for each in charge["parameters"][1:]}
    assert charge["security"] == [{"accessToken": ["billing.folio.write"]}]
    assert headers == {"Idempotency-Key": True, "If-Match": False}
    assert verify["security"] == []
    assert "401" not in verify["responses"]


def codes_of(document: dict[str, Any], operation: Operation) -> set[str]:
    codes: set[str] = set()
    for response in operation["responses"].values():
        if "$ref" in response:
            name = response["$ref"].rsplit("/", 1)[-1]
            content = document["components"]["responses"][name]["content"]
            schema = content["application/problem+json"]["schema"]
            codes |= set(schema["properties"]["code"]["enum"])
    return codes


@pytest.mark.req("API-1", "API-3")
def test_a_function_tells_the_refusals_that_it_declares_and_those_of_the_edge(
    document: dict[str, Any],
) -> None:
    by_name = {operation["operationId"]: operation for _, operation in operations(document)}
    for declaration in http_declarations():
        told = codes_of(document, by_name[declaration.name])
        assert {full_code(refusal) for refusal in declaration.refusals} <= told
        if declaration.scope is not None:
            assert "MELMASTOON.IAM.SCOPE_MISSING" in told
            assert "MELMASTOON.GENERAL.CROSS_TENANT_REFERENCE" in told


@pytest.mark.req("API-3")
def test_every_code_that_is_told_is_in_the_one_catalogue(document: dict[str, Any]) -> None:
    catalogue = document["x-problems"]
    for place, operation in operations(document):
        assert codes_of(document, operation) <= set(catalogue), place
    folio_closed = catalogue["MELMASTOON.BILLING.FOLIO_CLOSED"]
    assert (folio_closed["status"], folio_closed["title"]) == (409, "The folio is closed")


@pytest.mark.req("API-3")
def test_a_code_that_stands_for_two_statuses_is_found() -> None:
    class AlsoClosed(Conflict):
        code = "PROPERTY_UNKNOWN"
        title = "Something else"

    AlsoClosed.__module__ = "common.domain.planted"
    try:
        with pytest.raises(ValueError, match="PROPERTY_UNKNOWN stands for two statuses"):
            known_problems()
    finally:
        AlsoClosed.__module__ = __name__


class Ask(Request):
    """Nothing."""


def declared(path: str) -> HttpDeclaration:
    @http_function("POST", path, scope="billing.folio.write")
    def test_use_case(request: Ask, tx: Transaction) -> Outcome:
        return Outcome()

    declaration = declaration_of(test_use_case)
    assert isinstance(declaration, HttpDeclaration)
    return declaration


@pytest.mark.req("API-2")
def test_two_functions_at_one_path_are_found() -> None:
    with pytest.raises(PathDeclaredTwice, match="POST /api/v1/folios"):
        openapi([declared("/folios"), declared("/folios")])


@pytest.mark.req("API-2")
def test_two_functions_of_one_name_are_found() -> None:
    with pytest.raises(NameDeclaredTwice):
        function_map([declared("/folios"), declared("/invoices")])


@pytest.mark.req("API-2")
def test_the_map_tells_terraform_all_that_it_asks() -> None:
    entry = json.loads(DOCUMENTS["terraform/functions.json"]())["post_charge"]

    assert entry == {
        "area": "folios",
        "source": "functions/folios/post_charge.py",
        "needs": ["database"],
        "kind": "http",
        "method": "POST",
        "path": "/api/v1/folios/{folio_id}/charges",
        "scope": "billing.folio.write",
        "step_up": False,
    }
