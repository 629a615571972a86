"""Compare the enumerations of generated modules with what they were made from."""

import ast
import json
import sys
from pathlib import Path
from types import ModuleType

OTHERS = {"__future__", "herald", "omnibase_core", "opentelemetry", "pydantic"}
ALLOWED = sys.stdlib_module_names | OTHERS | {"pydantic_core", ""}
PACKAGE = Path(__file__).parents[2] / "python" / "python" / "herald"


def find_herald() -> None:
    """Import `herald.runtime` from the sources: it needs no build, the package does."""
    package = ModuleType("herald")
    package.__path__ = [str(PACKAGE)]
    sys.modules.setdefault("herald", package)


def imported(tree: ast.Module) -> set[str]:
    """Return the top-level packages that a module imports, wherever it does."""
    names: set[str] = set()
    for statement in ast.walk(tree):
        if isinstance(statement, ast.Import):
            names |= {alias.name.split(".")[0] for alias in statement.names}
        if isinstance(statement, ast.ImportFrom):
            package = "" if statement.level else str(statement.module).split(".")[0]
            names.add(package)
    return names


def check(path: Path) -> None:
    """Compare one module with the file beside it."""
    source = path.read_text("utf-8")
    assert "noqa: E501  #" not in source, path
    tree = ast.parse(source)
    assert imported(tree) <= ALLOWED, imported(tree)

    imported_module = ModuleType(f"checked.{path.stem}")
    imported_module.__package__ = "checked"
    sys.modules[imported_module.__name__] = imported_module  # where annotations look
    module = vars(imported_module)
    exec(compile(tree, str(path), "exec"), module)  # regular expressions are compiled
    begin = next(i for i, item in enumerate(tree.body) if "__all__" in ast.dump(item))
    own = [item.name for item in tree.body[begin:] if isinstance(item, ast.ClassDef)]
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    for column, name in enumerate(own[:2]):
        values = [member.value for member in module[name].__members__.values()]
        given = [pair[column] for pair in expected]
        # One event type has one member, whatever its versions.
        assert values == (given if column else list(dict.fromkeys(given))), path

    documents = [
        ast.get_docstring(item) or ""
        for item in ast.walk(tree)
        if isinstance(item, ast.Module | ast.ClassDef | ast.AsyncFunctionDef)
    ]
    assert not any(">>>" in document for document in documents), path
    missing = set(module["__all__"]) - module.keys()
    assert not missing, missing


if __name__ == "__main__":
    find_herald()
    folder = ModuleType("checked")
    folder.__path__ = [sys.argv[1]]
    sys.modules["checked"] = folder
    for module_path in sorted(Path(sys.argv[1]).glob("*.py")):
        check(module_path)
