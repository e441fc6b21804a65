"""`python -m tandem`: the command, where its script is not on the PATH."""

from tandem.cli.main import run

run()
