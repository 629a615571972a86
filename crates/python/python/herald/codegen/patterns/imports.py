"""Imports of modules that contain the output of several generators."""

from herald import _herald


def join_imports(*imports: str) -> str:
    """Merge the results of several `generate_imports` for one module.

    Each import occurs once, in isort's order; other lines follow.
    """
    return _herald.join_imports(list(imports))
