"""The command line: one file per subcommand, each scriptable, every failure one line and an exit status.

A subcommand imports what it needs when it runs, so that ``bandfold --help`` needs neither a codec nor a plot.
"""

import gc

GARBAGE_THRESHOLD = 50_000
"""Objects that are made beyond those that are freed until garbage is looked for; Python's is 700."""

# What is imported stays: to look for garbage among it again and again takes a tenth of a start. So that is
# said before anything else is imported.
gc.set_threshold(GARBAGE_THRESHOLD)
