"""Data classes each of whose methods is written when it is first asked for, not with the class.

The library writes the methods of a data class as text and compiles them, each time that a process
starts: that is most of what a class of ours costs, up to a millisecond, and a function defines a
few hundred of them to make an instance of a few dozen (PERF-1). Here a class has its fields, its
slots and its order from the library at once. For each method stands a `_Late`; when it is first
asked for, the library writes that method, and it is put into the class in place of what stood for
it. So what a class does is the library's word, and all but its first instance cost what they did.

To a type checker it is `dataclasses.dataclass` itself, of which these are the options that we use.
What differs: a class without a docstring has its name for one, not its signature; and a frozen one
must not be mixed with others by inheritance, which is left to the type checker to refuse.
"""

import dataclasses
from copy import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
else:

    def dataclass(
        cls: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        kw_only: bool = False,
        eq: bool = True,
    ) -> "type | Callable[[type], type]":
        """Make a data class of a class, as `dataclasses.dataclass` does."""

        def decorate(plain: type) -> type:
            return _made(plain, frozen, slots, kw_only, eq)

        return decorate if cls is None else decorate(cls)


class _Late:
    """Stands for a method until somebody asks for it, and then has it written and put in its place.

    Two threads may both be the first: what they have written is the same.
    """

    __slots__ = ("made", "name", "options")

    def __init__(self, made: type, name: str, **options: bool) -> None:
        self.made, self.name, self.options = made, name, options

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        method = _written(self.made, self.options).__dict__[self.name]
        setattr(self.made, self.name, method)
        return method.__get__(instance, owner)


def _made(plain: Any, frozen: bool, slots: bool, kw_only: bool, eq: bool) -> type:
    """The class with its fields, and with what stands for the methods that it does not define."""
    own = set(plain.__dict__)
    is_hashed = "__hash__" in own and (plain.__hash__ is not None or "__eq__" not in own)
    plain.__doc__ = plain.__doc__ or plain.__name__
    library = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)
    made: Any = library(plain)

    def late(name: str, **options: bool) -> None:
        if name not in own:
            setattr(made, name, _Late(made, name, **options))

    late("__init__", init=True, frozen=frozen, slots=slots)
    late("__repr__", repr=True)
    if eq:
        late("__eq__", eq=True)
    if eq and not is_hashed:
        made.__hash__ = _Late(made, "__hash__", unsafe_hash=True) if frozen else None
    if frozen and slots:
        late("__getstate__", frozen=True, slots=True)
        late("__setstate__", frozen=True, slots=True)
    if frozen:
        _freeze(made)
    finished: type = made
    return finished


def _freeze(made: Any) -> None:
    """Refuse each change of an instance, save to what an undecorated child has besides."""
    fields = made.__dataclass_fields__

    def refuse_to_set(self: Any, name: str, value: object) -> None:
        if type(self) is made or name in fields:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(made, self).__setattr__(name, value)

    def refuse_to_delete(self: Any, name: str) -> None:
        if type(self) is made or name in fields:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(made, self).__delattr__(name)

    made.__setattr__, made.__delattr__ = refuse_to_set, refuse_to_delete


def _written(made: Any, options: dict[str, bool]) -> type:
    """A class of the same fields that has the methods which the options name: the library's own."""
    body = {"__module__": made.__module__, "__qualname__": made.__qualname__, "__doc__": "late"}
    if hasattr(made, "__post_init__"):
        body["__post_init__"] = made.__post_init__
    fields = [(field.name, field.type, copy(field)) for field in dataclasses.fields(made)]
    nothing: dict[str, Any] = {"init": False, "repr": False, "eq": False}
    return dataclasses.make_dataclass(made.__name__, fields, namespace=body, **nothing | options)
