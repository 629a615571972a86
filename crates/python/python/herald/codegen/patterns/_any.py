"""Arguments for parts that do not depend on them."""

from typing import Final

ANY_SERVICE: Final = ("effect", "effect")
ANY_NODE: Final = (*ANY_SERVICE, ["any"])
