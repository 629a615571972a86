"""Prints the JSON Schemas of classes for `herald import`.

Run as `python -c PROGRAM REQUEST ANSWER FOLDER...`: the request is a JSON list of
`module:Class`, the answer a JSON object with a schema or an error for each.
"""

import difflib
import importlib
import json
import os
import sys
import traceback

MAX_LINES = 30  # of a traceback


class Refused(Exception):
    """A class without a schema: kind, message."""


def main() -> None:
    request, answer, *folders = sys.argv[1:]
    sys.argv = sys.argv[:1]
    # With -c, the first entry is the working folder.
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    with open(request, encoding="utf-8") as file:
        wanted = json.load(file)
    answers = {name: answer_for(name) for name in wanted}
    text = json.dumps({"version": sys.version.split()[0], "classes": answers})
    # All at once: without it, the process has failed.
    with open(answer + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(answer + ".part", answer)


def answer_for(name: str) -> dict:
    module_name, _, path = name.partition(":")
    try:
        module = imported(module_name)
        kind, schema = schema_of(found(module, path))
        schema = json.loads(json.dumps(schema))
        return {"kind": kind, "schema": schema, "may_be_local": taken(schema)}
    except Refused as error:
        kind, message = error.args
        return {"error": kind, "message": message}
    except BaseException as error:
        return {
            "error": "raised",
            "message": f"{type(error).__name__}: {first_line(error)}",
            "traceback": traceback_of(error),
        }


def imported(name: str):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing == name or name.startswith(missing + "."):
            raise Refused("no_module", missing) from None
        raise


def found(module, path: str):
    of = module
    for part in path.split("."):
        if not hasattr(of, part):
            names = [name for name in vars(of) if not name.startswith("_")]
            similar = difflib.get_close_matches(part, names, 1)
            raise Refused("no_class", similar[0] if similar else "")
        of = getattr(of, part)
    return of


def schema_of(model):
    if getattr(model, "__struct_fields__", None) is not None:
        import msgspec

        return "msgspec", msgspec.json.schema(model)
    if hasattr(model, "model_json_schema") and hasattr(model, "model_dump"):
        # As Herald publishes it.
        by_alias = model.model_config.get("serialize_by_alias") is not False
        schema = model.model_json_schema(
            by_alias=by_alias, mode="serialization", **generator()
        )
        return "pydantic", schema
    if hasattr(model, "schema") and hasattr(model, "__fields__"):
        raise Refused("pydantic_1", "")
    is_typed_dict = isinstance(model, type) and hasattr(model, "__total__")
    is_attrs = hasattr(model, "__attrs_attrs__")
    if not (hasattr(model, "__dataclass_fields__") or is_typed_dict or is_attrs):
        raise Refused("no_model", type(model).__name__)
    refused = Refused("no_library", "")
    if not is_attrs:
        try:
            from pydantic import TypeAdapter

            adapter = TypeAdapter(model)
            return "pydantic", adapter.json_schema(mode="serialization", **generator())
        except ImportError:
            pass
        except Exception as error:
            # Before Python 3.12, pydantic takes no TypedDict of the standard library.
            refused = error
    try:
        import msgspec
    except ImportError:
        raise refused from None
    return "msgspec", msgspec.json.schema(model)


# Mark of a time that may have no time zone, until `taken` removes it.
MAY_BE_LOCAL = "x-may-be-local"
LOCAL_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?$"


def generator():
    """Returns the argument by which decimals are not plain texts, and times without a
    time zone are not those of RFC 3339.
    """
    try:
        from pydantic.json_schema import GenerateJsonSchema
    except ImportError:
        return {}

    class Generator(GenerateJsonSchema):
        def decimal_schema(self, schema):
            return {"type": "string", "format": "decimal"}

        def datetime_schema(self, schema):
            written = super().datetime_schema(schema)
            zone = schema.get("tz_constraint")
            if written.get("format") != "date-time" or zone not in (None, "naive"):
                return written
            if zone == "naive":
                return {"type": "string", "pattern": LOCAL_TIME}
            return {**written, MAY_BE_LOCAL: True}

    return {"schema_generator": Generator}


def taken(schema, place="#") -> list:
    """Removes the marks of times that may have no time zone; returns their places."""
    places = []
    if isinstance(schema, dict) and schema.get(MAY_BE_LOCAL) is True:
        del schema[MAY_BE_LOCAL]
        places.append(place)
    parts = schema.items() if isinstance(schema, dict) else enumerate(schema)
    for name, part in parts:
        if isinstance(part, (dict, list)):
            places += taken(part, f"{place}/{name}")
    return places


def first_line(error: BaseException) -> str:
    try:
        lines = str(error).splitlines()
    except Exception:
        return ""
    return lines[0][:300] if lines else ""


def traceback_of(error: BaseException) -> str:
    stack = traceback.extract_tb(error.__traceback__)
    others = ("<string>", "<frozen ", sys.base_prefix)
    frames = [
        frame
        for frame in stack
        if not frame.filename.startswith(others)
        and "site-packages" not in frame.filename
    ]
    lines = "".join(traceback.format_list(frames)).splitlines()
    return "\n".join(lines[-MAX_LINES:])


main()
