"""`python -m sbicore` is the command `sbicore`."""

import sys

from .cli import main

sys.exit(main())
