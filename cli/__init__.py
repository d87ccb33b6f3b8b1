"""The command line: one file per subcommand, each scriptable, every failure one line and an exit status.

A subcommand imports what it needs when it runs, so that ``bandfold --help`` needs neither a codec nor a plot.
"""
