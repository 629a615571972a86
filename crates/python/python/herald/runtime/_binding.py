"""Binding of call arguments to the input fields of an operation."""

import inspect
from collections.abc import Callable
from typing import Any

from herald.runtime._fields import kept_input

_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)


class Binding:
    """Maps call arguments to parameter names. Never raises: a call that does not match
    the signature is left to the function to refuse.
    """

    def __init__(self, function: Callable[..., Any], *, is_method: bool) -> None:
        parameters = list(inspect.signature(function).parameters.values())
        if is_method and parameters and parameters[0].kind in _POSITIONAL:
            parameters = parameters[1:]  # not of `def place(*arguments)`
        self._skip = 1 if is_method else 0
        self._positional = tuple(p.name for p in parameters if p.kind in _POSITIONAL)
        self._rest = next(
            (p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL),
            None,
        )
        # Calls with so many positional arguments and no others need no second look. Of
        # a single argument the fields are the input.
        is_plain = len(parameters) == len(self._positional) > 1
        self._count = len(parameters) if is_plain else -1
        self._defaults = tuple(
            (p.name, p.default)
            for p in parameters
            if p.default is not inspect.Parameter.empty
        )

    def input(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> object:
        """Returns the arguments by name, or the only one if it is a model, a dataclass
        or a mapping; see `kept_input`.
        """
        given = dict(zip(self._positional, args[self._skip :]))  # noqa: B905 - faster
        if len(given) == self._count and not kwargs:
            return given
        if self._rest is not None:
            given[self._rest] = args[self._skip + len(self._positional) :]
        if kwargs:
            given.update(kwargs)
        for name, default in self._defaults:
            if name not in given:
                given[name] = default
        if len(given) == 1:
            (only,) = given.values()
            fields = kept_input(only)
            return given if fields is None else fields
        return given
