"""What can be said of Terraform's files without the program (`make check-terraform` has it)."""

import gzip
import json
import re
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source_tree import ROOT
from tests.terraform.bindings import SCHEMA, SOURCE, used_types

FILES: Final = sorted((ROOT / "terraform").rglob("*.tf"))
LINE_LENGTH_MAX: Final = 100
LINES_MAX: Final = 400


@pytest.mark.req("OPS-1")
def test_the_schema_holds_every_type_that_is_used() -> None:
    """A type that is used for the first time needs a renewal (tests/terraform/README.md)."""
    kept = json.loads(gzip.decompress(SCHEMA.read_bytes()))["provider_schemas"][SOURCE]

    assert set(kept["resource_schemas"]) == used_types()["resource"]
    assert set(kept["data_source_schemas"]) == used_types()["data"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_a_file_keeps_to_its_size(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= LINES_MAX
    assert [number for number, line in enumerate(lines, 1) if len(line) > LINE_LENGTH_MAX] == []


@pytest.mark.req("OPS-1")
def test_no_function_job_or_event_is_named_in_a_module() -> None:
    """They come from functions.json: adding a use case is adding one file."""
    functions = json.loads((ROOT / "terraform/functions.json").read_text(encoding="utf-8"))
    excused = {"health", "modules/monitoring/objectives.tf:post_charge"}
    for file in (ROOT / "terraform/modules").rglob("*.tf"):
        place = file.relative_to(ROOT / "terraform").as_posix()
        words = re.findall(r'"(?:billing-)?([a-z_-]+)"', file.read_text(encoding="utf-8"))
        named = {word.replace("-", "_") for word in words} & functions.keys()
        assert {name for name in named if not {name, f"{place}:{name}"} & excused} == set(), place
