"""What the corpus consists of: every module here adds its cases to `registry.CASES` when it is imported.

Whoever adds a case gives it a `row` when it stands for a type of its own: the README's table of types has one line for each.
"""

from . import arrays, containers, extension, frames, indexes, numbers, objects  # noqa: F401
from .registry import CASES  # noqa: F401
