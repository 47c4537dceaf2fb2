"""The files that a deployment begins with say what the project is."""

import os
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


@pytest.mark.req("OPS-2", "OPS-5")
def test_nothing_is_let_in_before_it_was_looked_at() -> None:
    """Tested and audited before it is built, scanned before the database or anybody meets it."""
    build = (ROOT / "cloudbuild.yaml").read_text(encoding="utf-8")
    steps = re.findall(r"^  - id: (.+)$", build, re.M)

    before = ["terraform", "test", "audit", "build", "push", "scan"]
    assert steps == [*before, "migrate", "roll out"]
    assert "requestedVerifyOption: VERIFIED" in build
    assert re.search(r'^images: \["\S+billing:\S+"\]$', build, re.M), "no provenance"


@pytest.mark.req("OPS-2")
def test_a_commit_can_be_built_again() -> None:
    """The registry keeps what a tag means for ever, so it is each build's own."""
    build = (ROOT / "cloudbuild.yaml").read_text(encoding="utf-8")
    registry = (ROOT / "terraform/modules/images/main.tf").read_text(encoding="utf-8")
    tags = [re.sub("[{}]", "", each) for each in re.findall(r"/billing:(\S+?)\"", build)]

    assert "immutable_tags = true" in registry
    assert tags == ["$COMMIT_SHA-$BUILD_ID"] * 3


@pytest.mark.req("OPS-5")
def test_the_audit_is_of_what_the_image_gets() -> None:
    """The same lock, by its hashes; the tool by its own. What cannot be asked after fails."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert "pip-audit --strict" in makefile
    (audited,) = re.findall(r"pip-audit .*-r (\S+)", makefile)
    assert f"COPY {audited} ." in dockerfile
    assert "--hash=sha256:" in (ROOT / ".ci/audit.lock").read_text(encoding="utf-8")


@pytest.mark.req("OPS-5")
def test_the_image_takes_packages_by_their_hashes_and_runs_as_nobody() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert "--require-hashes" in dockerfile
    assert re.search(r"^USER 65532:65532\nCMD", dockerfile, re.M)


@pytest.mark.req("PERF-1")
def test_the_image_holds_bytecode_that_no_layer_makes_old(tmp_path: Path) -> None:
    """Of the standard library, which Python's image leaves out (docker-library/python, issue 615),
    of the packages and of ours; each by orders that believe it whatever the source's time is."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    order = re.compile(r"-m compileall (-\S.*-hash)(?: -x site-packages)? +(\S.*)$", re.M)
    compiled = order.findall(dockerfile)
    (orders,) = {orders for orders, _ in compiled}
    module = tmp_path / "starts.py"

    module.write_text("how = 'as it was compiled'")
    subprocess.run([sys.executable, "-m", "compileall", *orders.split(), tmp_path], check=True)
    module.write_text("how = 'compiled anew'")
    os.utime(module, (0, 0))
    started = subprocess.check_output(
        [sys.executable, "-c", "import starts; print(starts.how)"], cwd=tmp_path, text=True
    )

    assert started == "as it was compiled\n"
    places = ["/usr/local/lib/python3.11", "venv/lib", "common functions jobs"]
    assert [what for _, what in compiled] == places
    assert "--no-compile" in dockerfile, "pip's own bytecode looks at the time"


def test_the_image_gets_what_it_copies() -> None:
    """Docker sees what .dockerignore names, and nothing else."""
    copied = re.findall(r"^COPY (?!--from)(\S+)", (ROOT / "Dockerfile").read_text(), re.M)
    seen = re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.M)

    assert sorted(copied) == sorted(seen)
    assert all((ROOT / name).exists() for name in copied)
