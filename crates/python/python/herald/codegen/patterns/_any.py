"""Placeholder arguments for output that does not depend on them."""

from typing import Final

ANY_SERVICE: Final = ("effect", "effect")
ANY_NODE: Final = (*ANY_SERVICE, ["any"])
