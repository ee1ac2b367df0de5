"""``python -m plait.cli``: the command line where no script is installed."""

import sys

from plait.cli import main

sys.exit(main())
