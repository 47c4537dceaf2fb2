"""Whoever is told that something is wrong is told what to do, in words that exist."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import typer

from common.cli.main import billing
from common.local.functions import job_declarations
from tests.architecture.source_tree import ROOT

RUNBOOKS: Final = ROOT / "terraform/runbooks"
PAGES: Final = sorted(page.stem for page in RUNBOOKS.glob("*.md") if page.stem != "README")
ALERTS: Final[dict[str, dict[str, Any]]] = json.loads(
    (ROOT / "terraform/alerts.json").read_text(encoding="utf-8")
)
SECTIONS: Final = [
    "How it shows",
    "Who is paged",
    "First five minutes",
    "Cause",
    "Recovery",
    "Prevention",
]
EXAMPLES: Final = {"NAME", "N", "TIME", "DATE", "DOCUMENTS"}


def text_of(page: str) -> str:
    return (RUNBOOKS / f"{page}.md").read_text(encoding="utf-8")


def commands(page: str) -> Iterator[list[str]]:
    """The uses of the operator's command, in blocks and in sentences."""
    text = " ".join(text_of(page).split("```bash"))
    blocks = re.findall(r"^billing [^\n]+", text, re.MULTILINE)
    inline = [" ".join(each.split()) for each in re.findall(r"`(billing [^`]+)`", text)]
    for each in [*blocks, *inline]:
        yield shlex.split(each, comments=True)[1:]


def command_of(words: list[str]) -> Any:
    """The command that these words begin with."""
    command: Any = typer.main.get_command(billing)
    while hasattr(command, "commands"):
        name, *words = words
        command = command.commands[name]
    return command


def unknown(words: list[str]) -> str | None:
    """What the operator's command would not understand; None when it would."""
    command: Any = typer.main.get_command(billing)
    while hasattr(command, "commands"):
        name, *words = words or [""]
        if name not in command.commands:
            return f"{command.name} {name}"
        command = command.commands[name]
    options = {name for each in command.params for name in each.opts}
    return next((word for word in words if word.startswith("--") and word not in options), None)


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_one_kind_and_a_page(alert: str) -> None:
    assert len(ALERTS[alert].keys() & {"log", "metric", "absence", "figure", "fact"}) == 1
    assert ALERTS[alert].get("runbook", alert) in PAGES
    assert f"`{alert}`" in text_of("README"), "the list of pages does not name it"


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_says_all_of_it_in_order(page: str) -> None:
    text = text_of(page)
    _, _, first_minutes = text.partition("## First five minutes")

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert re.match(r"\n\n```bash\n(?:(?!```).*\n)*?billing ", first_minutes), "nothing to type"
    assert f"[{page}]({page}.md)" in text_of("README")


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("page", PAGES)
def test_its_commands_exist(page: str) -> None:
    jobs = {each.name for each in job_declarations()} | EXAMPLES

    for words in commands(page):
        assert unknown(words) is None, f"billing {' '.join(words)}"
        if words[:2] == ["job", "run"]:
            assert words[2] in jobs, f"billing {' '.join(words)}"


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("page", PAGES)
def test_no_order_needs_a_file(page: str) -> None:
    """A job in the cloud has none of the operator's; a recovery is done where the papers are."""
    assert command_of(["recovery", "end"]).params[0].type_descriptor.annotation is Path
    for words in commands(page):
        if words and words[0] != "recovery":
            takes = [each.type_descriptor.annotation for each in command_of(words).params]
            assert Path not in takes, f"billing {' '.join(words)}"


@pytest.mark.req("OPS-3")
def test_an_order_arrives_in_the_cloud_as_it_was_typed(tmp_path: Path) -> None:
    """By the page's own shell, to a stand-in for gcloud: commas, spaces and lines are kept."""
    (shell,) = re.findall(r"^billing\(\) \{.*?^\}", text_of("README"), re.MULTILINE | re.DOTALL)
    (tmp_path / "hotel.pem").write_text("-----BEGIN\nO=A, Ltd.\n-----END\n", encoding="utf-8")
    typed = """gcloud() { printf '%s\\0' "$@"; }; REGION=x
    billing dlq drop dlq_1 --reason 'of a test, by us'
    billing keys certificate T --pem "$(<hotel.pem)"
    billing tenant show T"""

    done = subprocess.run(
        ["bash", "-c", f"{shell}\n{typed}"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )

    sent = [each for each in done.stdout.split("\0") if each.startswith(("--args=", "billing-"))]
    assert sent == [
        *("billing-operate", "--args=^|^dlq|drop|dlq_1|--reason|of a test, by us"),
        "billing-operate",
        "--args=^|^keys|certificate|T|--pem|-----BEGIN\nO=A, Ltd.\n-----END",
        *("billing-migrate", "--args=^|^tenant|show|T"),
    ]


@pytest.mark.parametrize("page", [*PAGES, "README"])
def test_its_links_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", text_of(page)):
        assert (RUNBOOKS / link).exists(), link


def test_what_an_alert_looks_for_can_be_written() -> None:
    """Codes that the catalogue knows, and routes that are there."""
    interface = (ROOT / "functions/README.md").read_text(encoding="utf-8")
    deployed = json.loads((ROOT / "terraform/functions.json").read_text(encoding="utf-8"))
    for alert, words in ALERTS.items():
        looked_for = words.get("log", "")
        for code in re.findall(r'"(MELMASTOON\.[A-Z_.]+)"', looked_for):
            assert f"`{code}`" in interface, alert
        for function in re.findall(r'"(?:jobs|events)/(\w+)"', looked_for):
            assert function in deployed, alert


@pytest.mark.parametrize(
    "words",
    [
        ["repair", "everything"],
        ["job", "walk", "drain_outbox"],
        ["doctor", "--deeply"],
    ],
    ids=" ".join,
)
def test_a_command_that_does_not_exist_is_found(words: list[str]) -> None:
    assert unknown(words)


@pytest.mark.req("OPS-3")
def test_the_page_of_a_leak_knows_every_secret() -> None:
    settings = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "terraform").rglob("service/*.tf")
    )
    secrets = set(re.findall(r'module\.secrets\.ids\["([\w-]+)"\]', settings))

    assert secrets
    named = set(re.findall(r"`billing-([\w-]+)`", text_of("secret_leaked")))
    assert named == secrets
