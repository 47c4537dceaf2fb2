"""What a function declares holds together, and is all that anybody needs to know of it (API-2)."""

import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request as HttpRequest

from common.contracts.shapes import Outcome, Request
from common.local.functions import (
    ROOT,
    FunctionMisnamed,
    declarations,
    event_declarations,
    functions,
    http_declarations,
)
from common.local.gateway import Gateway
from common.ports.identity import VERIFIED_ACCOUNT
from common.ports.transaction import Transaction
from common.runtime.declaration import (
    Declaration,
    EventDeclaration,
    HttpDeclaration,
    declaration_of,
    http_function,
)
from common.runtime.step_up import context_of

HTTP = pytest.mark.parametrize("declaration", http_declarations(), ids=lambda each: each.name)
ALL = pytest.mark.parametrize("declaration", declarations(), ids=lambda each: each.name)
PATH = re.compile(r"(/[a-z][a-z-]*|/\{[a-z_]+\})+")
REFUSAL = re.compile(r"[A-Z][A-Za-z]+")
PARAMETER = re.compile(r"\{([a-z_]+)\}")
NEEDS = {
    *("database", "keys", "documents", "printer", "provisioning", "gateway", "detector", "origins"),
    *("webhooks", "vault", "trials", "quotes", "platform_keys"),
}


def models_in(annotation: Any) -> set[type[BaseModel]]:
    """The model that a type is, and all that it holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        hints = get_type_hints(annotation, include_extras=True)
        parts = [models_in(hints[name]) for name in annotation.model_fields]
        return {annotation}.union(*parts)
    return set().union(*map(models_in, get_args(annotation)))


@pytest.mark.req("API-2")
def test_every_file_is_one_function_of_its_own_name() -> None:
    files = {f.stem for f in (ROOT / "functions").glob("*/*.py") if f.stem != "__init__"}

    assert files == {target.__name__ for target in functions()}
    assert len(files) == len(declarations())


@pytest.mark.req("API-2")
@ALL
def test_its_module_is_its_place(declaration: Declaration) -> None:
    assert declaration.module == f"functions.{declaration.area}.{declaration.name}"
    assert isinstance(declaration, EventDeclaration) == (declaration.area == "events")
    assert declaration.name.startswith("on_") == (declaration.area == "events")


@pytest.mark.req("API-2")
@pytest.mark.parametrize("names", [[], ["another"], ["planted", "another"]])
def test_a_file_without_one_function_of_its_name_is_found(
    names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "functions" / "folios" / "planted.py"
    file.parent.mkdir(parents=True)
    file.touch()
    module = ModuleType("functions.folios.planted")
    for name in names:
        target = http_function("POST", "/test", scope="billing.admin")(confirmed)
        target.__name__ = name
        setattr(module, name, target)
    monkeypatch.setitem(sys.modules, module.__name__, module)

    with pytest.raises(FunctionMisnamed, match=r"functions\.folios\.planted must declare one"):
        list(functions(tmp_path))


@pytest.mark.req("API-2")
@HTTP
def test_its_path_is_written_as_all_are_and_its_parameters_are_fields(
    declaration: HttpDeclaration,
) -> None:
    assert PATH.fullmatch(declaration.path)
    assert declaration.method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    assert set(PARAMETER.findall(declaration.path)) <= set(declaration.request.model_fields)
    assert declaration.full_path.startswith("/api/v1/") or declaration.area == "health"


class Naming:
    """An edge that answers with the declaration that it was asked for."""

    def http(self, declaration: HttpDeclaration, request: Any) -> Any:
        return declaration

    def event(self, declaration: EventDeclaration, request: Any) -> Any:
        return declaration


@pytest.mark.req("API-2")
@ALL
def test_no_path_of_its_is_another_ones(declaration: Declaration) -> None:
    """Not even by chance: /folios/{folio_id} takes every one word behind /folios/."""
    path, method = f"/events/{declaration.name}", "POST"
    if isinstance(declaration, HttpDeclaration):
        path, method = PARAMETER.sub(r"\1", declaration.full_path), declaration.method
    request = HttpRequest(EnvironBuilder(path, method=method).get_environ())

    assert Gateway(Naming(), declarations()).answer(request) is declaration


@pytest.mark.req("API-6", "MON-1")
@HTTP
def test_its_request_is_strict_frozen_and_closed_at_any_depth(
    declaration: HttpDeclaration,
) -> None:
    assert issubclass(declaration.request, Request)
    for model in models_in(declaration.request):
        config = model.model_config
        told = config.get("strict"), config.get("frozen"), config.get("extra")
        assert told == (True, True, "forbid"), model.__name__
        assert config.get("hide_input_in_errors") is True, model.__name__


@pytest.mark.req("API-1", "API-2")
@HTTP
def test_its_answer_is_a_model(declaration: HttpDeclaration) -> None:
    assert issubclass(declaration.answer, Outcome)


@pytest.mark.req("API-3")
@HTTP
def test_its_own_words_name_what_it_refuses_and_nothing_else(declaration: HttpDeclaration) -> None:
    words, _, refused = declaration.description.partition("Refuses: ")
    named = set(REFUSAL.findall(refused))

    assert declaration.summary.endswith(".")
    assert words
    assert {refusal.__name__ for refusal in declaration.refusals} == named


@pytest.mark.req("API-4")
@HTTP
def test_what_moves_money_is_a_command_with_a_scope(declaration: HttpDeclaration) -> None:
    if declaration.moves_money:
        assert declaration.changes_state
        assert declaration.scope is not None
    if declaration.method == "GET":
        assert declaration.record is None, "what is read is not written down"
        assert not declaration.creates


@pytest.mark.req("SEC-7")
@HTTP
def test_it_is_limited_by_who_calls(declaration: HttpDeclaration) -> None:
    per = {rate.per for rate in declaration.counted}
    match declaration:
        case HttpDeclaration(area="health"):
            assert per == set()
        case HttpDeclaration(scope=None):
            assert per == {"address"}
        case _ if declaration.scope == VERIFIED_ACCOUNT:
            assert per == {"actor", "tenant", "address", "device"}
        case _:
            assert per == {"actor", "tenant"}


PAYMENTS = {
    "record_payment",
    "record_company_payment",
    "refund_payment",
    "create_payment_intent",
    "confirm_payment",
    "purchase_credits",
    "request_payout",
    "approve_payout",
    "reject_payout",
}
QUOTAS = [
    *((name, "actor", 10, 60) for name in sorted(PAYMENTS)),
    ("purchase_credits", "tenant", 10, 3600),
    ("confirm_payment", "tenant", 2_000, 60),
    ("take_stripe_event", "address", 100 * 60, 60),
]


@pytest.mark.req("SEC-7")
@pytest.mark.parametrize(("name", "per", "quota", "seconds"), QUOTAS)
def test_payments_are_ten_a_minute_and_webhooks_a_hundred_a_second(
    name: str, per: str, quota: int, seconds: int
) -> None:
    (found,) = [each for each in http_declarations() if each.name == name]

    assert (quota, seconds) in [
        (rate.quota, rate.window_seconds) for rate in found.counted if rate.per == per
    ]


@pytest.mark.req("SEC-7")
@HTTP
def test_nobody_sends_the_processor_on_thousands_of_errands(declaration: HttpDeclaration) -> None:
    """What asks the processor while its caller waits has a limit of its own, below the rest's."""
    if "gateway" in declaration.needs and declaration.scope is not None:
        assert min(rate.quota for rate in declaration.limits if rate.per == "actor") <= 300


@pytest.mark.req("API-2")
@ALL
def test_it_says_what_it_needs(declaration: Declaration) -> None:
    assert set(declaration.needs) <= NEEDS
    assert "database" in declaration.needs or declaration.name == "health"


@pytest.mark.req("EVT-1")
def test_one_consumer_takes_one_type_of_event() -> None:
    types = [each.event_type for each in event_declarations()]

    assert all(re.fullmatch(r"melmastoon\.[a-z_.]+\.v[1-9]", each) for each in types)
    assert len(types) == len(set(types))


class Asked(Request):
    """Nothing."""


def confirmed(request: Asked, tx: Transaction) -> Outcome:
    """Do what was confirmed."""
    return Outcome()


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize(
    "options",
    [
        {"scope": "billing.refund.write"},
        {"scope": None, "context": lambda request, actor: context_of(deed="x")},
        {"scope": None},
    ],
)
def test_a_step_up_that_is_bound_to_nothing_cannot_be_declared(options: dict[str, Any]) -> None:
    """Or it would be a function that asks for no confirmation at all."""
    with pytest.raises(ValueError, match="confirmed: a step-up is bound to a scope"):
        http_function("POST", "/test", step_up=True, **options)(confirmed)


@pytest.mark.req("API-2")
def test_what_is_declared_is_a_plain_function_that_bears_its_declaration() -> None:
    """As functions-framework wants it; the use case itself is called by the runner alone."""
    target = http_function("POST", "/test", scope="billing.admin")(confirmed)

    assert inspect.isfunction(target)
    assert target.__name__ == "confirmed"
    assert declaration_of(target).use_case is confirmed
    assert list(inspect.signature(target).parameters) == ["request"]
