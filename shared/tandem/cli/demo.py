"""`tandem load-demo`: what `tandem up --demo` runs beside the services."""

import time
from typing import TYPE_CHECKING

import typer

from tandem.cli.options import DataDir, installation

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from tandem.demo.loading import Progress
    from tandem.demo.making import Demo

_FIRST_NOTICE = 15.0
_EVERY_PERCENT = 20
_STEPS = {
    "reading": ("reading its records", "a worker to read its records"),
    "linking": ("looking for duplicates (percent)", "a worker to find its duplicates"),
    "ranking": ("ranking its records", "a worker to rank its records"),
    "ready": ("ready to screen", ""),
}


def load_demo(data_dir: DataDir = None) -> None:
    """Load the demo review into the running installation; say how far it is."""
    settings = installation(data_dir=data_dir)
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    import tandem.log
    from tandem.demo.loading import load

    tandem.log.configure(settings, process="demo")
    console = Console()
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
    bars = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with bars:
        load(settings, made=_show_accounts, on_progress=_Bars(bars))


def _show_accounts(demo: "Demo") -> None:
    typer.echo("\n".join(f"  {line}" for line in str(demo).splitlines()) + "\n")


class _Bars:
    """Shows progress: as a bar on a terminal, as a line now and then anywhere else."""

    def __init__(self, bars: "Bars") -> None:
        self._bars = bars
        self._bar = bars.add_task("Demo review", total=None)
        self._last: Progress | None = None
        self._printed: set[tuple[str, int]] = set()
        self._since = time.monotonic()
        self._pause = _FIRST_NOTICE

    def __call__(self, now: "Progress") -> None:
        doing, waiting_for = _STEPS[now.step]
        if now.step == "ready":
            self._bars.stop()
            typer.echo(f"  The demo review is ready to screen: {now.done:,} records, ranked.\n")
            return
        moment = time.monotonic()
        if now != self._last:
            self._last, self._since, self._pause = now, moment, _FIRST_NOTICE
        elif moment - self._since > self._pause:
            self._pause *= 2
            typer.echo(f"  Demo review: still waiting for {waiting_for}.")
        text = f"Demo review: {doing}"
        self._bars.update(self._bar, description=text, completed=now.done, total=now.total)
        if self._bars.disable:
            self._line(text, now)

    def _line(self, text: str, now: "Progress") -> None:
        part = 100 * now.done // now.total // _EVERY_PERCENT if now.total else 0
        if (now.step, part) not in self._printed:
            self._printed.add((now.step, part))
            typer.echo(f"  {text}" + (f", {now.done} of {now.total}" if part else ""))
