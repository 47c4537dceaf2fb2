"""A method of a data class is written when it is first asked for, and only then (PERF-1). That it
does what the library's does is asked of every class of the project: tests/architecture."""

import dataclasses
import threading
from dataclasses import FrozenInstanceError, field, replace
from types import FunctionType
from typing import ClassVar, Generic, TypeVar

import pytest

from common.domain.dataclass import dataclass

pytestmark = pytest.mark.req("PERF-1")
METHODS = ("__init__", "__repr__", "__eq__", "__hash__")
Kind = TypeVar("Kind")


def stay() -> type:
    """A class with each kind of field, upon another one."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Room:
        floors: ClassVar[int] = 3
        number: int
        guests: tuple[str, ...] = ()
        noted: str = field(default="", compare=False, repr=False)

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Stay(Room):
        nights: int = 1
        tags: list[str] = field(default_factory=list, hash=False)
        dirty: bool = field(default=False, init=False)

        def __post_init__(self) -> None:
            if self.nights < 1:
                raise ValueError("a stay has a night")

    return Stay


def written(kind: type) -> set[str]:
    return {name for name in METHODS if isinstance(kind.__dict__[name], FunctionType)}


def test_each_method_is_written_when_it_is_asked_for_and_then_stands_there_itself() -> None:
    kind = stay()
    assert written(kind) == set()

    one = kind(number=7)
    assert written(kind) == {"__init__"}
    assert kind.__init__ is kind.__dict__["__init__"]
    assert repr(one).endswith("Stay(number=7, guests=(), nights=1, tags=[], dirty=False)")
    assert one == kind(number=7, noted="early")
    assert hash(one) == hash(kind(number=7, tags=["quiet"]))
    assert written(kind) == set(METHODS)


def test_fields_and_refusals_are_those_of_the_class() -> None:
    kind = stay()
    one = kind(number=7)

    assert one.tags is not kind(number=7).tags
    assert replace(one, nights=2).nights == 2
    assert kind.__match_args__ == ()
    with pytest.raises(ValueError, match="a night"):
        kind(number=7, nights=0)
    with pytest.raises(TypeError, match=r"Stay.__init__\(\) missing 1 required keyword"):
        kind()
    for name in ("number", "unheard_of"):
        with pytest.raises(FrozenInstanceError):
            setattr(one, name, 8)
        with pytest.raises(FrozenInstanceError):
            delattr(one, name)


def test_a_parent_and_its_children_each_have_their_own() -> None:
    """Whoever is first: a child without a decorator has its parent's, and `super` finds them."""

    @dataclass(kw_only=True)
    class Base(Generic[Kind]):
        held: Kind

    @dataclass(kw_only=True)
    class Wide(Base[int]):
        more: int = 1

        def __eq__(self, other: object) -> bool:
            return super().__eq__(other) and self.more < 9

    class Plain(Base[str]):
        pass

    assert Plain(held="a") == Plain(held="a")
    assert Plain(held="a") != Base(held="a")
    assert Wide(held=1) == Wide(held=1, more=2)
    assert Wide(held=1, more=9) != Wide(held=1)
    assert repr(Plain(held="a")).endswith("Plain(held='a')")
    assert [each.name for each in dataclasses.fields(Wide)] == ["held", "more"]
    with pytest.raises(TypeError, match="unhashable"):
        hash(Plain(held="a"))


def test_two_who_differ_by_identity_do_so() -> None:
    @dataclass(slots=True, eq=False)
    class Seat:
        row: int

    assert Seat(1) != Seat(1)
    assert len({Seat(1), Seat(1)}) == 2


def test_two_threads_may_be_the_first() -> None:
    for _ in range(20):
        kind, start, found = stay(), threading.Barrier(8), []

        def make(kind: type = kind, start: threading.Barrier = start, found: list = found) -> None:
            start.wait()
            found.append(kind(number=1))

        threads = [threading.Thread(target=make) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(found) == 8
        assert set(map(repr, found)) == {repr(found[0])}
        assert len(set(found)) == 1
