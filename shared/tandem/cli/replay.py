"""`tandem demo replay`: a whole synthetic review over HTTP, and its numbers in one table."""

import io
import os
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tandem.cli.options import DataDir, installation
from tandem.cli.records import url_on_this_machine

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from tandem.demo.replay.plan import Size
    from tandem.demo.replay.review import Replay

demos = typer.Typer(help="Demonstrations with synthetic records.", no_args_is_help=True)

_LABELS = {
    "database_results": "records found in three sources",
    "duplicates": "duplicates",
    "records_screened": "records screened by two people",
    "records_excluded": "records excluded",
    "dbr_sought_reports": "reports sought",
    "dbr_notretrieved_reports": "reports not retrieved",
    "dbr_assessed": "reports assessed",
    "dbr_excluded": "reports excluded, each by one reason",
    "ongoing": "reports of ongoing studies",
    "new_studies": "studies included",
    "new_reports": "reports included",
}


@demos.callback()
def _group() -> None:
    """Keep `replay` a command of its own while it is the only one."""


@demos.command("replay")
def replay_command(
    data_dir: DataDir = None,
    *,
    again: Annotated[
        bool, typer.Option("--again", help="Make another review where there is one already.")
    ] = False,
) -> None:
    """Do a whole synthetic review over HTTP: 2,080 records, 1,528 screened, 34 reports.

    It uses the installation that runs here with its demo accounts, or TANDEM_URL and
    TANDEM_TOKEN. Everything in it is SYNTHETIC.
    """
    installation(data_dir=data_dir)
    from tandem.demo.replay.plan import Size

    replay(Size(), again=again)


def replay(size: "Size", *, again: bool = False) -> None:
    """Do a review of this size, and print its numbers.

    Raises:
        NotReplayed: A step was refused, or a number is not the planned one.
    """
    from tandem.config import settings
    from tandem.demo.corpus import corpus
    from tandem.demo.replay import calls
    from tandem.demo.replay.plan import plan
    from tandem.demo.replay.review import Replay, open_review

    started = time.monotonic()
    typer.echo("SYNTHETIC: records, people, decisions and PDFs are made up.")
    url = (os.environ.get("TANDEM_URL") or url_on_this_machine()).rstrip("/")
    token = os.environ.get("TANDEM_TOKEN")
    owner = calls.with_token(url, token) if token else calls.of_the_demo(url, settings().data_dir)
    with closing(owner):
        made = plan(corpus(), size)
        review_id = open_review(owner, made.corpus, again=again)
        typer.echo(f"Review {review_id} at {url}")
        output = _Output(bars := _bars())
        with closing(Replay(owner, review_id, made, output)) as replayed:
            with bars:
                constructs = _do(replayed, output)
            _finish(replayed, constructs, seconds=time.monotonic() - started)


def _do(replayed: "Replay", output: "_Output") -> list[str]:
    """Do all steps; return a line for each construct of the synthesis."""
    with TemporaryDirectory() as folder:
        replayed.import_records(Path(folder))
    n_first = replayed.screen()
    output.say(f"Titles and abstracts: {n_first} conflicts settled by the adjudicator.")
    for sentence in replayed.get_texts():
        output.say(f"In doubt: {sentence}.")
    n_second = replayed.assess()
    output.say(f"Full texts: {n_second} conflicts settled by the adjudicator.")
    replayed.group_companions()
    output.say("Two companion reports: grouped, parted, grouped again; the flow followed.")
    replayed.revoke_and_undo()
    output.say("One decision revoked late and made again; the flow followed.")
    matrix = replayed.synthesise()
    output.say("The included reports went to a tool for coding and came back; no passage was lost.")
    return [
        f"  {row['name']:<40}{row['n_passages']:>7,}{row['n_studies']:>7,}"
        for row in matrix["rows"]
    ]


def _finish(replayed: "Replay", constructs: list[str], *, seconds: float) -> None:
    """Check the end of the review, and print the table.

    Raises:
        NotReplayed: Something is not as planned.
    """
    from tandem.demo.replay.calls import NotReplayed

    flow = replayed.flow()
    wrong = [f"{one['name']} does not hold" for one in flow["invariants"] if not one["holds"]]
    if flow["state"] != "finished":
        wrong.append("the flow is unfinished")
    lines = []
    for key, due in replayed.plan.expected.items():
        n = _n(flow, key)
        lines.append(f"  {_LABELS[key]:<40}{n:>7,}")
        if n != due:
            wrong.append(f"{key} is {n}, not {due}")
        if key == "dbr_excluded":
            parts = flow["boxes"][key]["parts"]
            lines += [f"    {part['label']:<38}{part['n']:>7,}" for part in parts]
    path = f"/reviews/{replayed.review_id}"
    n_near = sum(1 for _ in replayed.owner.pages(f"{path}/near-misses", limit=500))
    lines.append(f"  {'near misses':<40}{n_near:>7,}")
    if "SYNTHETIC" not in replayed.owner.raw("GET", f"{path}/prisma.svg").text:
        wrong.append("the flow diagram does not say that it is synthetic")
    n_held = sum(one["holds"] for one in flow["invariants"])
    lines.append(f"  {'invariants of the flow that hold':<40}{n_held:>7,}")
    lines.append(f"  {'entries of the audit trail, verified':<40}{_verified(replayed, wrong):>7,}")
    typer.echo("\n".join(["SYNTHETIC review, its flow", *lines]))
    typer.echo(
        "\n".join(["SYNTHETIC constructs, passages and studies that feed them", *constructs])
    )
    typer.echo(f"Done in {seconds / 60:.1f} minutes.")
    if wrong:
        raise NotReplayed(f"The replay went wrong: {'; '.join(wrong)}.")


def _n(flow: dict[str, Any], key: str) -> int:
    """Return the number of a box; those that are empty may be left out."""
    box = flow["boxes"].get(key)
    return int(box["n"]) if box else int(flow["beyond"].get(key, 0))


def _verified(replayed: "Replay", wrong: list[str]) -> int:
    """Check the audit trail as `tandem verify` does; return how many entries it has."""
    from tandem.audit.verify import check
    from tandem.cli.verify import trail_lines

    path = f"/reviews/{replayed.review_id}/export"
    trail = replayed.owner.raw("GET", path, params={"format": "trail"})
    checked = check(trail_lines(io.BytesIO(trail.content), "the trail"), expected_hash=None)
    if checked.difference is not None:
        wrong.append(f"the trail does not hold {checked.difference}")
    return checked.n_entries


def _bars() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


class _Output:
    """Shows how far each step is, as a bar of its own."""

    def __init__(self, bars: "Progress") -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, doing: str, done: int, total: int | None) -> None:
        if doing not in self._tasks:
            self._tasks[doing] = self._bars.add_task(doing, total=total)
        self._bars.update(self._tasks[doing], completed=done, total=total)

    def say(self, sentence: str) -> None:
        self._bars.stop()
        typer.echo(sentence)
        self._bars.start()
