"""`python -m tandem …`: the command `tandem`, where its script is not on PATH."""

from tandem.cli.main import run

run()
