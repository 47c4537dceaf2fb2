"""The rules of import, as import-linter reads them from pyproject.toml, and what it cannot say.

Each contract is also shown a break in a small copy of the house, and has to find it.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.architecture.source_tree import ROOT, Source, sources
from tests.architecture.test_no_clock import imported

USE_CASES_MAY: Final = {"pydantic", "annotated_types", "typing_extensions", "common"}


def rooms() -> list[str]:
    """Return the rooms of common as pyproject.toml lists them, from the outermost inward."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (common,) = (each for each in contracts["contracts"] if each.get("exhaustive"))
    return [room for layer in common["layers"] for room in re.findall(r"\w+", layer)]


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages of a folder."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--config", "pyproject.toml", "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "200", "NO_COLOR": "1"},
    )


def foreign_imports(source: Source, allowed: set[str]) -> Iterator[str]:
    for node in ast.walk(source.tree):
        for module in imported(node):
            root = module.split(".")[0]
            if root not in sys.stdlib_module_names and root not in allowed:
                yield f"{source.at(node)}: imports {module}"


def test_the_house_keeps_its_contracts() -> None:
    result = linted(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_domain_knows_the_standard_library_and_itself() -> None:
    offences = [
        f"{each}. The domain is decided with the standard library; what needs a package is an edge."
        for source in sources("common/domain")
        for each in foreign_imports(source, {"common"})
    ]

    assert not offences, "\n" + "\n".join(offences)


def test_a_use_case_knows_no_framework_and_no_driver() -> None:
    offences = [
        f"{each}. A use case is a function of (request, transaction); the edge knows the rest."
        for source in sources("common/procedures", "functions", "jobs")
        for each in foreign_imports(source, USE_CASES_MAY)
    ]

    assert not offences, "\n" + "\n".join(offences)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """An empty house with every room, two functions and two jobs, under the project's contracts."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in rooms():
        package(tmp_path / "common" / room)
    (tmp_path / "common/__init__.py").touch()
    (tmp_path / "common/runtime/declaration.py").touch()
    for name in ("functions/folios", "functions/cash", "functions", "jobs"):
        package(tmp_path / name)
    for use_case in ("folios/open_folio", "folios/post_charge", "cash/open_drawer"):
        (tmp_path / "functions" / f"{use_case}.py").write_text(
            "import common.domain.a, common.ports.a, common.contracts.a, common.runtime.declaration"
        )
    (tmp_path / "jobs/drain.py").write_text("from common.runtime import declaration")
    (tmp_path / "jobs/renew.py").touch()
    return tmp_path


def package(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").touch()
    (folder / "a.py").touch()


def test_an_orderly_house_passes(house: Path) -> None:
    (house / "common/wiring/a.py").write_text(
        "import common.postgres.a, common.runtime.a, common.local.a"
    )
    (house / "common/cli/a.py").write_text("import common.local.a, common.wiring")

    result = linted(house)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("importer", "imported_module"),
    [
        ("common/domain/a.py", "common.ports.a"),
        ("common/domain/a.py", "functions.folios.a"),
        ("common/ports/a.py", "common.contracts.a"),
        ("common/runtime/a.py", "common.postgres.a"),
        ("common/runtime/a.py", "common.wiring"),
        ("common/postgres/a.py", "common.google.a"),
        ("common/postgres/a.py", "common.runtime.a"),
        ("common/postgres/a.py", "common.local.a"),
        ("common/wiring/a.py", "common.cli.a"),
        ("common/local/a.py", "common.cli.a"),
        ("common/a_new_room.py", "common.domain.a"),
        ("functions/folios/open_folio.py", "common.postgres.a"),
        ("functions/folios/open_folio.py", "common.runtime.a"),
        ("functions/folios/open_folio.py", "common.wiring"),
        ("functions/folios/open_folio.py", "functions.folios.post_charge"),
        ("functions/folios/open_folio.py", "functions.cash.open_drawer"),
        ("functions/folios/open_folio.py", "jobs.drain"),
        ("jobs/drain.py", "jobs.renew"),
        ("jobs/drain.py", "functions.cash.open_drawer"),
    ],
)
def test_a_break_in_the_wall_is_found(house: Path, importer: str, imported_module: str) -> None:
    (house / importer).write_text(f"import {imported_module}\n")

    result = linted(house)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout


def test_a_circle_is_found(house: Path) -> None:
    """Those that only the type checker sees as well."""
    (house / "common/ports/b.py").write_text("import common.ports.a\n")
    (house / "common/ports/a.py").write_text(
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import common.ports.b\n"
    )

    result = linted(house)

    assert result.returncode == 1, result.stdout + result.stderr
    assert "go round in a circle" in result.stdout


@pytest.mark.parametrize("module", ["pg8000.native", "flask", "google.cloud.kms_v1", "ulid"])
def test_a_package_in_a_use_case_is_found(module: str) -> None:
    source = Source("functions/folios/planted.py", f"from {module} import x")

    assert list(foreign_imports(source, USE_CASES_MAY))
