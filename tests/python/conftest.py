"""Makes `herald.runtime` importable from the sources: it needs no build, unlike the
rest of the package.
"""

import sys
from types import ModuleType

from harness import PACKAGES

package = ModuleType("herald")
package.__path__ = [str(PACKAGES / "herald")]
sys.modules.setdefault("herald", package)
