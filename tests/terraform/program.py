"""The real program `terraform`, on a copy of terraform/, with the stand-in for Google's provider.

Nothing is downloaded: the provider is a process of ours that is found by a socket, and the state
that an environment would keep in a bucket is a file of the copy.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
ENVIRONMENTS: Final = ("staging", "production")
LOCAL_STATE: Final = 'terraform {\n  backend "local" {}\n}\n'
TAKES_SECONDS_MAX: Final = 300


class Refused(Exception):
    """Terraform did not do what it was asked; the message is what it said."""


@dataclass(frozen=True)
class Resource:
    """Something that a plan would make. What is not known before it is made is not in `values`."""

    address: str
    type: str
    name: str
    index: Any
    values: dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What an environment would consist of."""

    environment: str
    resources: tuple[Resource, ...]
    outputs: dict[str, Any]
    waits: dict[str, list[str]]
    """What each module of the service waits for, besides what it is given."""

    def of(self, *types: str) -> list[Resource]:
        return [each for each in self.resources if each.type in types]

    def named(self, type_name: str, name: str) -> list[Resource]:
        return [each for each in self.of(type_name) if each.name == name]


@contextmanager
def provider(folder: Path, *, told: bool) -> Iterator[str]:
    """Run the stand-in; what it answers is how Terraform finds it."""
    python = os.environ.get("TERRAFORM_PROVIDER_PYTHON", ROOT / ".venv-terraform/bin/python")
    command = [python, Path(__file__).with_name("provider.py"), folder / "provider.sock"]
    with subprocess.Popen(
        [*command, "--told"] if told else command, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            found = running.stdout.readline().strip()
            assert found, "the provider did not start"
            yield found
        finally:
            running.terminate()


@dataclass(frozen=True)
class Copy:
    """A copy of terraform/ that can be changed and asked."""

    folder: Path
    reattach: str

    @classmethod
    def made(cls, folder: Path, reattach: str) -> "Copy":
        shutil.copytree(ROOT / "terraform", folder / "terraform")
        (folder / "terraformrc").write_text("", encoding="utf-8")
        for environment in ENVIRONMENTS:
            override = folder / "terraform/environments" / environment / "backend_override.tf"
            override.write_text(LOCAL_STATE, encoding="utf-8")
        return cls(folder, reattach)

    def change(self, file: str, before: str, after: str) -> None:
        """Put something else in the place of a passage that stands there once."""
        path = self.folder / "terraform" / file
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1, f"{file} holds {text.count(before)} times: {before}"
        path.write_text(text.replace(before, after), encoding="utf-8")

    def run(self, place: str, *arguments: str) -> str:
        """Run Terraform in a folder of the copy. Raises Refused."""
        program = shutil.which("terraform")
        assert program, "the program terraform is missing (make check-terraform)"
        environment = {
            **os.environ,
            "TF_REATTACH_PROVIDERS": self.reattach,
            "TF_CLI_CONFIG_FILE": str(self.folder / "terraformrc"),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        done = subprocess.run(
            [program, f"-chdir={self.folder / 'terraform' / place}", *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            timeout=TAKES_SECONDS_MAX,
        )
        if done.returncode:
            raise Refused(done.stdout + done.stderr)
        return done.stdout

    def plan(self, environment: str) -> Plan:
        """What would be made of an environment. Raises Refused."""
        place = f"environments/{environment}"
        self.run(place, "init", "-input=false", "-no-color")
        self.run(place, "plan", "-input=false", "-no-color", "-out=planned")
        whole = json.loads(self.run(place, "show", "-json", "planned"))
        shown = whole["planned_values"]
        outputs = {name: each.get("value") for name, each in shown.get("outputs", {}).items()}
        service = whole["configuration"]["root_module"]["module_calls"]["service"]["module"]
        waits = {name: each.get("depends_on", []) for name, each in service["module_calls"].items()}
        return Plan(environment, tuple(_resources(shown["root_module"])), outputs, waits)


def _resources(module: dict[str, Any]) -> Iterator[Resource]:
    for each in module.get("resources", ()):
        if each["mode"] == "managed":
            yield Resource(
                each["address"], each["type"], each["name"], each.get("index"), each["values"]
            )
    for child in module.get("child_modules", ()):
        yield from _resources(child)
