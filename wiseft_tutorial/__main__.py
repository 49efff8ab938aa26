"""``python -m wiseft_tutorial`` is ``wiseft``, where that command is not on the path."""

from __future__ import annotations

import sys

from wiseft_tutorial.cli import main

if __name__ == "__main__":
    sys.exit(main())
