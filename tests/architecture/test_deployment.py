"""The files that a deployment begins with say what the project is."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import ROOT


@pytest.mark.req("OPS-2")
def test_the_build_keeps_to_cloud_builds_schema() -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    checked = subprocess.run(
        [program, "--builtin-schema", "vendor.cloudbuild", ROOT / "cloudbuild.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.req("OPS-5")
def test_the_image_takes_packages_by_their_hashes_and_runs_as_nobody() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert "--require-hashes" in dockerfile
    assert re.search(r"^USER 65532:65532\nCMD", dockerfile, re.M)


def test_the_image_gets_what_it_copies() -> None:
    """Docker sees what .dockerignore names, and nothing else."""
    copied = re.findall(r"^COPY (?!--from)(\S+)", (ROOT / "Dockerfile").read_text(), re.M)
    seen = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.M)

    assert sorted(copied) == sorted(seen)
    assert all((ROOT / name).exists() for name in copied)
