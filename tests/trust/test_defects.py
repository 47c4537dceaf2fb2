"""Seeded defects: each fits the code, and the runner tells apart what became of it (REL-6).

Whether each is caught is what `make defects` finds out. Here is what can be known in seconds, and
the runner itself, on a toy of a project.
"""

import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.trust.defects import trees
from tests.trust.defects.runner import ROOT, main, nothing, tried
from tests.trust.defects.seeded import SEEDED, Defect, Malformed, defects
from tests.trust.defects.trees import Tree
from tests.trust.defects.verdicts import Finding, Verdict

pytestmark = pytest.mark.req("REL-6")

PATHS = sorted(SEEDED.glob("*.toml"))
NO_PROGRAM = "F821,F822,F823,E9"  # names that nobody has defined, and what cannot be read at all

TILL = '''\
"""A till of one function."""


def change(paid: int, owed: int) -> int:
    return paid - owed
'''
TESTS = """\
import pytest

from common.till import change


@pytest.fixture
def rest():
    return change(5, 3)


def test_gives_the_rest():
    assert change(5, 3) == 2


@pytest.mark.parametrize("owed", [1, 2])
def test_gives_what_is_asked(owed):
    assert change(5, owed) + owed == 5


def test_has_a_rest(rest):
    assert rest


def test_never_passes():
    assert change(5, 3) == 3
"""
TOY = {
    "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\n',
    "common/__init__.py": "",
    "common/till.py": TILL,
    "tests/test_till.py": TESTS,
}
GIVES = "test_gives_the_rest"


def written(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files in it."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def nothing_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A toy needs nothing that others wrote."""
    monkeypatch.setattr(trees, "OF_OTHERS", ())


def seed(new: str, test: str = GIVES, old: str = "paid - owed") -> str:
    """A defect of the toy, as it is written down."""
    return (
        f"mistake = 'One.'\nnoticed_by = ['tests/test_till.py::{test}']\n"
        f"[[change]]\nfile = 'common/till.py'\nold = '{old}'\nnew = '''{new}'''\n"
    )


SEEDS = {
    "caught": seed("paid - owed - 1"),
    "caught_by_raising": seed("[][paid]"),
    "caught_by_one_of_its_cases": seed("paid - owed * (owed == 1)", "test_gives_what_is_asked"),
    "survived": seed("paid - owed + 0"),
    "broken_in_its_syntax": seed("paid -"),
    "broken_in_its_import": seed("import nowhere", old='"""A till of one function."""'),
    "broken_in_a_name": seed("paid - owd"),
    "broken_in_its_fixture": seed("[][paid]", "test_has_a_rest"),
    "broken_without_its_test": seed("paid", "test_gives_nothing"),
    "broken_without_the_defect": seed("paid", "test_never_passes"),
    "stale_as_it_is_gone": seed("paid", old="paid + owed"),
    "stale_as_there_are_two": seed("paid", old="owed"),
}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_fits_the_code_and_its_tests_are_there(path: Path) -> None:
    """Where it does not fit any more the code has moved on: seed it anew, it was there for a
    reason."""
    defect = Defect.read(path)

    assert defect.applied(ROOT)
    assert defect.tests_that_are_gone(ROOT) == []
    assert defect.mistake.endswith(".")


def test_none_is_there_twice() -> None:
    assert len(PATHS) >= 75
    times = Counter(defect.changes for defect in defects())
    assert [changes for changes, count in times.items() if count > 1] == []


def test_each_leaves_a_program_that_can_run(tmp_path: Path) -> None:
    """It was committed by somebody who had tried it once."""
    for defect in defects():
        for path, text in defect.applied(ROOT).items():
            if path.suffix == ".py":
                written(tmp_path, {f"{defect.name}/{path.relative_to(ROOT)}": text})

    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", NO_PROGRAM]
    done = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def test_the_runner_tells_apart_what_became_of_each(tmp_path: Path) -> None:
    """Caught means that a test failed. A toy that no longer starts has been caught by nobody."""
    root = written(tmp_path / "toy", TOY)
    folder = written(tmp_path / "seeds", {f"{name}.toml": text for name, text in SEEDS.items()})

    findings = tried(defects(folder), root=root)

    became = {finding.defect.name: finding for finding in findings}
    assert {name: each.verdict for name, each in became.items()} == {
        name: Verdict(name.partition("_")[0]) for name in SEEDS
    }
    assert became["caught"].how == f"tests/test_till.py::{GIVES}: AssertionError: assert 1 == 2"
    assert became["broken_in_its_import"].how.endswith("No module named 'nowhere'")
    assert (root / "common/till.py").read_text() == TILL


def test_a_copy_is_whole_again_after_each_defect(tmp_path: Path) -> None:
    """One copy for all of them; of the same size and second, so that compiled code is no help."""
    root = written(tmp_path / "toy", TOY)
    seeds = {"a": seed("paid + owed"), "b": seed("paid * owed")}
    folder = written(tmp_path / "seeds", {f"{name}.toml": text for name, text in seeds.items()})

    findings = tried(defects(folder), root=root, jobs=1)

    said = [finding.how.rpartition(" assert ")[2] for finding in findings]
    assert said == ["8 == 2", "15 == 2"]


def test_a_test_that_is_not_there_keeps_no_other_from_being_tried(tmp_path: Path) -> None:
    """Only pytest knows which cases a test has, and runs nothing when one of them is unknown."""
    root = written(tmp_path / "toy", TOY)
    seeds = {"caught": SEEDS["caught"], "broken": seed("paid", "test_gives_what_is_asked[9]")}
    folder = written(tmp_path / "seeds", {f"{name}.toml": text for name, text in seeds.items()})

    findings = tried(defects(folder), root=root)

    assert {str(each.verdict) for each in findings} == {"caught", "broken"}
    assert all(each.verdict == each.defect.name for each in findings)


def test_code_from_elsewhere_proves_nothing(tmp_path: Path) -> None:
    """The toy has lost its own `common`: the one that is installed is found in its place."""
    elsewhere = (
        "def test_gives_the_rest():\n    from common.domain import money\n    assert not money\n"
    )
    root = written(tmp_path / "toy", {"tests/test_till.py": elsewhere, "jobs/till.py": TILL})
    text = seed("paid").replace("common/till.py", "jobs/till.py")
    folder = written(tmp_path / "seeds", {"elsewhere.toml": text})

    [finding] = tried(defects(folder), root=root)

    assert (finding.verdict, finding.how) == (
        Verdict.BROKEN,
        "without the defect: common was not loaded from the copy",
    )


def test_a_run_without_an_end_is_ended_and_the_next_one_is_as_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It adds up for ever, where Python does not even look whether it has been interrupted."""
    root = written(tmp_path / "toy", TOY)
    seeds = {"endless": seed("sum(iter(int, 1))"), "caught": SEEDS["caught"]}
    folder = written(tmp_path / "seeds", {f"{name}.toml": text for name, text in seeds.items()})
    caught, endless = defects(folder)

    with closing(Tree(root, tmp_path / "copy")) as tree:
        with monkeypatch.context() as impatient:
            impatient.setattr(trees, "RUN_SECONDS_MAX", 0.5)
            impatient.setattr(trees, "ENDING_SECONDS_MAX", 0.1)
            ended = tree.tried(endless, {}, {})
        then = tree.tried(caught, {}, {})

    assert (ended.verdict, ended.how) == (Verdict.BROKEN, "the tests did not end within 0.5 s")
    assert then.verdict is Verdict.CAUGHT


def test_nothing_goes_from_one_run_into_the_next(tmp_path: Path) -> None:
    """Not what a defect does to the process, nor to its environment, nor the files it leaves."""
    leaves = (
        "vars(__import__('builtins')).update(left=1) or __import__('os').environ.update(LEFT='1')"
        " or __import__('tempfile').mkstemp() and 0"
    )
    looks = (
        "import builtins, os, tempfile\n\ndef test_finds_nothing():\n"
        "    assert not hasattr(builtins, 'left') and 'LEFT' not in os.environ\n"
        "    assert os.listdir(tempfile.gettempdir()) == []\n"
    )
    root = written(tmp_path / "toy", {**TOY, "tests/test_after.py": looks})
    folder = written(tmp_path / "seeds", {"leaves.toml": seed(leaves)})

    with closing(Tree(root, tmp_path / "copy")) as tree:
        [leaving] = [tree.tried(defect, {}, {}) for defect in defects(folder)]
        troubles = tree.troubles_of(["tests/test_after.py::test_finds_nothing"], {})

    assert leaving.how == f"tests/test_till.py::{GIVES}: AssertionError: assert 0 == 2"
    assert troubles == {}


def test_none_is_begun_when_time_is_up(tmp_path: Path) -> None:
    root = written(tmp_path / "toy", TOY)
    folder = written(tmp_path / "seeds", {"caught.toml": SEEDS["caught"]})
    heard: list[Finding] = []

    assert tried(defects(folder), root=root, until=0.0, tell=heard.append) == []
    assert heard == []


@pytest.mark.parametrize(
    ("names", "code", "last"),
    [
        (["caught"], 0, "1 caught, 0 survived, 0 broken, 0 stale"),
        (["caught", "survived"], 1, "1 caught, 1 survived, 0 broken, 0 stale"),
    ],
)
def test_the_command_ends_well_only_when_all_are_caught(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], names: list[str], code: int, last: str
) -> None:
    root = written(tmp_path / "toy", TOY)
    folder = written(tmp_path / "seeds", {f"{name}.toml": text for name, text in SEEDS.items()})

    assert main(names, folder=folder, root=root, prepare=nothing) == code

    *lines, summary = capsys.readouterr().out.splitlines()
    told, again = lines[: len(names)], lines[len(names) :]
    assert sorted(line.split()[1] for line in told) == names
    assert again == [line for line in told if not line.startswith("caught")]
    assert summary.startswith(last)


@pytest.mark.parametrize(
    "text",
    [
        "mistake",
        seed("x").replace("mistake = 'One.'", ""),
        seed("x").replace("One.", " "),
        seed("x").replace("['tests/test_till.py::test_gives_the_rest']", "[]"),
        seed("x").partition("[[change]]")[0] + "change = []",
        seed("x").replace("file = 'common", "file = 'tests"),
        seed("x").replace("file = 'common", "file = 'common/.."),
        seed("paid - owed"),
        seed("x", old=""),
        seed("x") + "more = 1\n",
        "more = 1\n" + seed("x"),
    ],
)
def test_refuses_what_describes_no_defect(tmp_path: Path, text: str) -> None:
    folder = written(tmp_path, {"one.toml": text})

    with pytest.raises(Malformed):
        defects(folder)


def test_refuses_a_name_that_no_defect_has(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match="no defect named none"):
        defects(tmp_path, ["none"])
