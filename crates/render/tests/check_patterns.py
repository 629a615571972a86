"""Read generated classes and compare what they call with what they were made from."""

import ast
import json
import sys
from pathlib import Path

METHODS = {"counter", "gauge", "distribution", "dependency", "task"}


def calls(tree: ast.Module) -> list[list[str | None]]:
    """Return method, text and unit of each call that has a text of the caller."""
    found = []
    for call in ast.walk(tree):
        match call:
            case ast.Call(
                ast.Attribute(attr=method), [ast.Constant(text), *_], keywords
            ):
                if method in METHODS:
                    units = {k.arg: k.value for k in keywords}
                    unit = units.get("unit")
                    said = unit.value if isinstance(unit, ast.Constant) else None
                    found.append((call.lineno, [method, text, said]))
    return [said for _, said in sorted(found)]


def statements(tree: ast.Module) -> None:
    """Nothing stands where it would run on import but what the templates put there."""
    for node in tree.body:
        match node:
            case ast.ImportFrom() | ast.AnnAssign() | ast.FunctionDef():
                pass
            case ast.Assign([ast.Name("_Method")]):
                pass
            case ast.ClassDef(body=[ast.Expr(ast.Constant()), *methods]):
                for method in methods:
                    match method:
                        case ast.FunctionDef() | ast.AsyncFunctionDef():
                            pass
                        case ast.Assign(value=ast.Call(ast.Name("logged_method"))):
                            pass
                        case _:
                            raise AssertionError(ast.unparse(method))
            case _:
                raise AssertionError(ast.unparse(node))


for path in Path(sys.argv[1]).glob("*.py"):
    tree = ast.parse(path.read_text("utf-8"))
    statements(tree)
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    assert calls(tree) == expected, path
