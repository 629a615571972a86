"""The top of a module that parts of several generators are put into."""

from herald import _herald


def join_imports(*imports: str) -> str:
    """What several `generate_imports` gave, as the beginning of one module.

    Each import is there once, in the order of isort; what else they have stands behind.
    """
    return _herald.join_imports(list(imports))
