"""What would be made of each environment, held against what the code declares."""

import subprocess
from pathlib import Path

import pytest

from tests.terraform.applying import APPLYING
from tests.terraform.program import ENVIRONMENTS, ROOT, Copy, Plan
from tests.terraform.rights import Functions
from tests.terraform.rules import RULES, Rule
from tests.terraform.shields import SHIELDS

pytestmark = [pytest.mark.terraform, pytest.mark.req("OPS-1", "OPS-4")]


@pytest.mark.parametrize("rule", [*RULES, *SHIELDS, *APPLYING], ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_it_holds(
    environment: str, rule: Rule, plans: dict[str, Plan], functions: Functions
) -> None:
    assert list(rule(plans[environment], functions)) == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_it_can_be_planned_before_anything_has_a_name(
    environment: str, untold: str, tmp_path: Path
) -> None:
    """What is made, and how often, may not depend on an answer that only comes afterwards."""
    assert Copy.made(tmp_path, untold).plan(environment).of("google_cloud_run_v2_service")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_it_is_valid(environment: str, copy: Copy) -> None:
    """Without its state, as who has no right on that checks it."""
    place = f"environments/{environment}"
    (copy.folder / "terraform" / place / "backend_override.tf").unlink()
    copy.run(place, "init", "-backend=false", "-input=false", "-no-color")

    assert "Success" in copy.run(place, "validate", "-no-color")


def test_it_is_written_as_terraform_writes_it() -> None:
    done = subprocess.run(
        ["terraform", f"-chdir={ROOT / 'terraform'}", "fmt", "-check", "-diff", "-recursive"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


MODULES_WITH_TESTS = sorted(
    {each.parents[1].name for each in ROOT.glob("terraform/modules/*/tests/*.tftest.hcl")}
)


@pytest.mark.parametrize("module", MODULES_WITH_TESTS)
def test_a_module_passes_its_own_tests(module: str, copy: Copy) -> None:
    copy.run(f"modules/{module}", "init", "-input=false", "-no-color")
    assert "0 failed" in copy.run(f"modules/{module}", "test", "-no-color")
