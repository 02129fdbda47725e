"""`python -m vlrl.cli` is the `vlrl` command."""

import sys

from vlrl.cli import main

sys.exit(main())
