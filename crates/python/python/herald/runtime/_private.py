"""Mark of private fields in models."""

import sys
from collections.abc import Mapping
from functools import lru_cache
from inspect import signature
from typing import Annotated, Any, Final, TypeAlias

from herald.runtime._generics import T


class Privacy:
    """Mark of private fields. Herald's clients serialize models with a context, and
    then the value is replaced by the name of its type.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Returns the schema for pydantic, which calls this."""
        from pydantic_core import core_schema

        schema = handler(source)
        inner = schema if "serialization" in schema else None
        hide = core_schema.wrap_serializer_function_ser_schema(
            _hide, info_arg=True, schema=inner
        )
        return {**schema, "serialization": hide}


PRIVATE: Final = Privacy()

Private: TypeAlias = Annotated[T, PRIVATE]
"""Field whose value never leaves the process: not in events, errors, logs or `repr`."""


class Publication(dict[str, Any]):
    """Context of pydantic's serializers while a payload is published. It is empty,
    because serializers of other models see it, too.
    """

    is_publication = True


PUBLICATION: Final = Publication()


@lru_cache(maxsize=1_024)
def publication_arguments(of_type: Any) -> Mapping[str, Any]:
    """Returns the arguments of pydantic's serializers for a model or a dataclass by
    which private values are left out: none where `model_dump` takes no context, as in
    pydantic before 2.7.
    """
    dump = getattr(of_type, "model_dump", None)
    if dump is None:
        dump = sys.modules["pydantic"].BaseModel.model_dump
    parameters = signature(dump).parameters.values()
    takes = any(p.name == "context" or p.kind is p.VAR_KEYWORD for p in parameters)
    return {"context": PUBLICATION} if takes else {}


def _hide(value: Any, handler: Any, info: Any) -> Any:
    is_published = getattr(info.context, "is_publication", False)
    return type(value).__name__ if is_published else handler(value)
