"""What `tandem simulate` shows: one progress bar over all replays, and a table of the results."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import fmean

from rich import box
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from tandem.ranking.sentences import encode_once
from tandem.ranking.simulate import Simulation
from tandem.ranking.simulate_files import Labelled
from tandem.ranking.simulate_stops import Stop
from tandem.ranking.simulate_team import TeamSimulation

_FIGURES = ("seed", "R", "N", "loss", "NDCG", "WSS95", "TNR95", "@10%", "@20%", "last", "time")
_LEGEND = (
    "R of N records are relevant; @10% is the share of them found in the first 10 % read; last is "
    "where the last one was found. Priors are in none of it but R and N."
)

_TEAM_FIGURES = (
    *("seed", "R", "95%", "97%", "100%", "twice", "share"),
    *("conflicts", "team", "truth"),
)
_TEAM_LEGEND = (
    "R records are relevant. 95%, 97%, 100%: decisions until that much was included of the "
    "relevant records that reading everything twice includes; twice: the decisions that this "
    "takes; share: 97% of that. In the end: conflicts there were; the shares included of what the "
    "team would include, and of what is relevant. Priors are in none of it but R."
)


class Bar:
    """Relevant records found over all replays. Shows nothing where stderr is no terminal."""

    def __init__(self, progress: Progress, to_find: Sequence[int], of: str) -> None:
        self._progress, self._to_find, self._of = progress, to_find, of
        self._now = [(0, 0)] * len(to_find)
        self._bar = progress.add_task("", total=sum(to_find), spent="")
        self._show()

    def update(self, task: int, read: int, found: int) -> None:
        """Tell how far a replay is: records read, or decisions, and relevant records found."""
        self._now[task] = read, found
        self._show()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar off the screen while something else is printed there."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def _show(self) -> None:
        n_done = sum(found == n for (_, found), n in zip(self._now, self._to_find, strict=True))
        self._progress.update(
            self._bar,
            description=f"{n_done} of {len(self._now)} replays",
            completed=sum(found for _, found in self._now),
            spent=f"{sum(read for read, _ in self._now)} {self._of}",
        )


@contextmanager
def bar_over_all(to_find: Sequence[int], *, of: str) -> Iterator[Bar]:
    """Show a bar on stderr.

    Args:
        to_find: For each replay, how many relevant records end it.
        of: What replays spend: records (read) or decisions.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("relevant found in {task.fields[spent]}"),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=False,  # else results would go to stderr while the bar is there
    ) as progress:
        yield Bar(progress, to_find, of)


def encode_ahead(files: Sequence[Labelled]) -> None:
    """Compute the sentence vectors of files that have none yet, with a bar on stderr.

    It takes half a minute for 1,000 records, once for each file; later replays find them kept.
    """
    console = Console(stderr=True)
    with Progress(
        TextColumn("sentence vectors"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task("", total=sum(len(data.texts) for data in files))
        for data in files:
            done = partial(_show_further, progress, bar, progress.tasks[bar].completed)
            encode_once(data.texts, on_progress=done)
            done(len(data.texts))


def _show_further(progress: Progress, bar: TaskID, before: float, further: int) -> None:
    progress.update(bar, completed=before + further)


def print_table(simulations: Sequence[Simulation]) -> None:
    """Print a row per file and seed; all of one kind."""
    team = isinstance(simulations[0], TeamSimulation)
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        caption=_TEAM_LEGEND if team else _LEGEND,
        caption_justify="left",
    )
    table.add_column("file", overflow="fold")
    for heading in _TEAM_FIGURES if team else _FIGURES:
        table.add_column(heading, justify="right", no_wrap=True)
    for done in simulations:
        row = _team_row(done) if isinstance(done, TeamSimulation) else _row(done)
        table.add_row(_name(done), *row)
    Console().print(table)


def _name(done: Simulation) -> str:
    return Path(done.file).name.removesuffix(".gz").removesuffix(".csv")


def _row(done: Simulation) -> Iterator[str]:
    yield from (str(count) for count in (done.seed, done.n_relevant, done.n))
    yield from (f"{value:.3f}" for value in (done.loss, done.ndcg, done.wss_95, done.tnr_95))
    yield from (f"{value:.0%}" for value in (done.recall_10, done.recall_20))
    yield str(done.last_relevant)
    yield f"{done.seconds:.1f}s"


def _team_row(done: TeamSimulation) -> Iterator[str]:
    yield from (str(count) for count in (done.seed, done.n_relevant))
    yield from (str(n) for n in (done.decisions_95, done.decisions_97, done.decisions_100))
    yield str(done.decisions_double)
    yield f"{done.decisions_97 / done.decisions_double:.0%}"
    yield str(done.conflicts)
    yield from (f"{share:.1%}" for share in (done.recall_team, done.recall_truth))


_STOP_LEGEND = (
    "Means over all replays. misses: share of replays that stopped below the target recall; work: "
    "records read by then, as a share of all; worst: the lowest recall. Records known at the start "
    "are in it. Only the certificate promises something: misses of at most {allowed:g}, for any "
    "ranking."
)
_TEAM_STOP_LEGEND = (
    " Recall is of what the two reviewers include if they read everything; truth: the share of "
    "the relevant records that they had included."
)


def print_stops(simulations: Sequence[Simulation]) -> None:
    """Print a row per rule and target, over all files and seeds."""
    asked = simulations[0].stops
    is_team = isinstance(simulations[0], TeamSimulation)
    legend = _STOP_LEGEND.format(allowed=round(1 - asked[0].confidence, 6))
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        caption=legend + (_TEAM_STOP_LEGEND if is_team else ""),
        caption_justify="left",
    )
    table.add_column("stops by")
    for heading in ("target", "recall", "worst", "misses", "work", *(["truth"] * is_team)):
        table.add_column(heading, justify="right", no_wrap=True)
    for place in range(len(asked)):
        stopped = [(done.stops[place], done.n) for done in simulations]
        table.add_row(*_stop_row(stopped))
    Console().print(table)


def _stop_row(stopped: Sequence[tuple[Stop, int]]) -> Iterator[str]:
    """Return the cells of one rule and target: where it stopped in files of so many records."""
    one = stopped[0][0]
    recalls = [stop.recall for stop, _ in stopped]
    truths = [stop.recall_truth for stop, _ in stopped if stop.recall_truth is not None]
    yield one.rule
    yield f"{one.target:g}"
    yield f"{fmean(recalls):.1%}"
    yield f"{min(recalls):.1%}"
    yield f"{fmean(recall < one.target for recall in recalls):.1%}"
    yield f"{fmean(stop.read / n for stop, n in stopped):.0%}"
    yield from ([f"{fmean(truths):.1%}"] if truths else [])
