"""Mark of private fields in models."""

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


def _hide(value: Any, handler: Any, info: Any) -> Any:
    is_published = getattr(info.context, "is_publication", False)
    return type(value).__name__ if is_published else handler(value)
