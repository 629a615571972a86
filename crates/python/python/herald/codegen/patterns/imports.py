"""Imports of modules that contain the output of several generators."""

from herald import _herald


def join_imports(*imports: str) -> str:
    """Merge the results of several `generate_imports` for one module.

    Each import is there once, in the order of isort; what else they have stands behind.
    """
    return _herald.join_imports(list(imports))
