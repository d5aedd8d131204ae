"""`python -m peer` from any working folder."""

import sys

from peer.__main__ import main

sys.exit(main())
