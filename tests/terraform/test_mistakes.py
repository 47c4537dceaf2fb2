"""A usual mistake of each kind is made, and noticed: only that says that the checks can fail."""

import re
from pathlib import Path

import pytest

from tests.terraform.applying import APPLYING
from tests.terraform.applying_mistakes import NOTICED_TOO
from tests.terraform.mistakes import NOTICED, REFUSED, Mistake, slug
from tests.terraform.program import Copy, Plan, Refused
from tests.terraform.rights import Functions
from tests.terraform.rules import RULES
from tests.terraform.shields import SHIELDS

NOTICED_BY_A_RULE = (*NOTICED, *NOTICED_TOO)
pytestmark = [pytest.mark.terraform, pytest.mark.req("OPS-1")]


@pytest.mark.parametrize("mistake", REFUSED, ids=slug)
def test_terraform_refuses(mistake: Mistake, copy: Copy) -> None:
    copy.change(mistake.file, mistake.before, mistake.after)

    with pytest.raises(Refused) as refused:
        copy.plan(mistake.environment)

    said = re.sub(r"[\s│]+", " ", str(refused.value))
    assert str(mistake.noticed_by) in said


@pytest.fixture(scope="module")
def wrong(told: str, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Production with every mistake in it that a plan takes."""
    copy = Copy.made(tmp_path_factory.mktemp("wrong"), told)
    for mistake in NOTICED_BY_A_RULE:
        copy.change(mistake.file, mistake.before, mistake.after)
    return copy.plan("production")


@pytest.mark.parametrize("mistake", NOTICED_BY_A_RULE, ids=slug)
def test_a_rule_tells_of(mistake: Mistake, wrong: Plan, functions: Functions) -> None:
    assert not isinstance(mistake.noticed_by, str)
    told = list(mistake.noticed_by(wrong, functions))

    assert [each for each in told if mistake.says in each], told


def test_terraform_refuses_what_depends_on_a_name_that_comes_afterwards(
    untold: str, tmp_path: Path
) -> None:
    """A provider that tells names would let this through; Google's own does not tell them."""
    copy = Copy.made(tmp_path, untold)
    copy.change(
        "modules/pubsub/main.tf",
        "  for_each = var.publishers\n",
        "  for_each = toset(values(var.publishers))\n",
    )

    with pytest.raises(Refused, match="Invalid for_each argument"):
        copy.plan("staging")


def test_every_rule_has_a_mistake_that_it_notices() -> None:
    noticed = {each.noticed_by for each in NOTICED_BY_A_RULE}

    assert noticed == {*RULES, *SHIELDS, *APPLYING}
