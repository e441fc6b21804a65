"""Are PDFs placed at their records, and none at a wrong one? Made-up PDFs of real titles.

    python benchmarks/texts.py ../shared/data/labelled --files 12

For each review `--files` records of each variant get a PDF of their own, which is read in the
child process as an upload is, and matched against all records of the review. Exit code 1 where a
file is placed at a wrong record, or one that carries its DOI or title (30 letters or more, had by
no other record) is not placed.
"""

import argparse
import csv
import gzip
import random
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pdfs
from tandem.ids import RecordNumber
from tandem.records.duplicates.titles import LONG_TITLE, plain_title
from tandem.records.formats import normalise
from tandem.texts import reading
from tandem.texts.file_facts import FileFacts
from tandem.texts.kinds import MediaType
from tandem.texts.matching import Matcher, Target

_BODY = (
    "Background. We describe what was done, in whom, and what came of it. Methods. Two people "
    "read all of it. Results. The differences were small. Conclusions. More is not needed. "
)
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Made:
    """A file, and the record that it is of; None: of none."""

    name: str
    content: bytes
    record: RecordNumber | None


Write = Callable[[Target, Sequence[Target], random.Random], Made | None]


def _lines(text: str, chance: random.Random) -> list[str]:
    return textwrap.wrap(text, chance.randint(18, 60), break_on_hyphens=False)


def _page(title: str, chance: random.Random, *more: str) -> list[str]:
    return ["J Made Up 2012;3:1-9", *_lines(title, chance), "A. Author, B. Author", *more,
            *textwrap.wrap(_BODY, 90)]  # fmt: skip


def by_title(target: Target, _: Sequence[Target], chance: random.Random) -> Made | None:
    if len(plain_title(target.title).replace(" ", "")) < LONG_TITLE:
        return None
    title = chance.choice([target.title, target.title.upper(), _hyphenated(target.title)])
    return Made("download.pdf", pdfs.pdf(_page(title, chance), ["More."]), target.number)


def _hyphenated(title: str) -> str:
    longest = max(title.split(), key=len)
    return title.replace(longest, f"{longest[:-3]}- {longest[-3:]}", 1)


def by_doi(target: Target, _: Sequence[Target], chance: random.Random) -> Made | None:
    if target.doi is None:
        return None
    said = chance.choice(["https://doi.org/{}", "doi:{}", "DOI {}"]).format(target.doi)
    return Made("fulltext.pdf", pdfs.pdf(_page("Original article", chance, said)), target.number)


def by_metadata(target: Target, _: Sequence[Target], chance: random.Random) -> Made | None:
    if target.doi is None:
        return None
    page = _page("Original article", chance)
    return Made("main.pdf", pdfs.pdf(page, info={"doi": f"doi:{target.doi}"}), target.number)


def _mentions(target: Target, others: Sequence[Target], chance: random.Random) -> Made | None:
    """Carry the title, and in the references of the first page another record's title and DOI."""
    other = chance.choice(others)
    made = by_title(target, others, chance)
    if made is None:
        return None
    references = ["References", *_lines(f"1. {other.title}. {other.doi or ''}", chance)]
    page = [*_page(target.title, chance), *textwrap.wrap(_BODY * 12, 90), *references]
    return Made(made.name, pdfs.pdf(page, size=6), target.number)


def _misread(target: Target, _: Sequence[Target], chance: random.Random) -> Made | None:
    """Carry the title with 3 % wrong letters, as of a scan."""
    letters = [
        chance.choice(_ALPHABET) if c.isalpha() and chance.random() < 0.03 else c
        for c in target.title
    ]
    return Made("scan.pdf", pdfs.pdf(_page("".join(letters), chance)), target.number)


def erratum(target: Target, _: Sequence[Target], chance: random.Random) -> Made | None:
    return Made("erratum.pdf", pdfs.pdf(_page(f"Correction to: {target.title}", chance)), None)


def _of_none(target: Target, _: Sequence[Target], chance: random.Random) -> Made | None:
    title = " ".join(reversed(target.title.split()))
    return Made(f"{chance.randint(1900, 2030)}.pdf", pdfs.pdf(_page(title, chance)), None)


_VARIANTS: dict[str, tuple[Write, bool]] = {
    "title": (by_title, True),
    "DOI on page 1": (by_doi, True),
    "DOI in metadata": (by_metadata, True),
    "title; another's title and DOI in references": (_mentions, False),
    "title with 3 % wrong letters": (_misread, False),
    "erratum of a record": (erratum, False),
    "of no record": (_of_none, False),
}
"""With whether all of them are expected to be placed."""


def read_records(file: Path) -> list[Target]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        return [
            Target(RecordNumber(number), row["title"], normalise.doi(row.get("doi") or ""))
            for number, row in enumerate(csv.DictReader(lines), start=1)
            if row["title"]
        ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=2, help="of each variant and review")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    seen: dict[str, Counter[str]] = {name: Counter() for name in _VARIANTS}
    seconds, missed = [0.0, 0.0], 0
    for file in sorted(given.folder.glob("*.csv.gz")):
        chance = random.Random(given.seed)  # of made-up files
        targets = read_records(file)
        matcher = Matcher(targets)
        titles = Counter(plain_title(target.title) for target in targets)
        dois = Counter(target.doi for target in targets)
        # What the writer of PDFs can write, and no other record has.
        own = [
            target
            for target in targets
            if titles[plain_title(target.title)] == 1
            and (target.doi is None or dois[target.doi] == 1)
            and target.title.encode("cp1252", "ignore").decode("cp1252") == target.title
        ]
        for name, (write, is_expected) in _VARIANTS.items():
            chosen = chance.sample(own, min(len(own), given.files))
            for made in filter(None, (write(target, own, chance) for target in chosen)):
                outcome = _outcome(made, matcher, seconds)
                seen[name][outcome] += 1
                if is_expected and outcome != "right":
                    missed += 1
                    print(f"  {outcome}: {name}, {file.name}, {made.record}")
    return _print(seen, seconds, missed)


def _outcome(made: Made, matcher: Matcher, seconds: list[float]) -> str:
    with tempfile.NamedTemporaryFile() as file:
        file.write(made.content)
        file.flush()
        began = time.perf_counter()
        found = reading.read(Path(file.name), MediaType.PDF)
        read_at = time.perf_counter()
    starts = [*found.page_starts, len(found.text)]
    match = matcher.match(FileFacts(made.name, found.text[: starts[1]], found.dois))
    seconds[0] += read_at - began
    seconds[1] += time.perf_counter() - read_at
    if match.record is not None:
        return "right" if match.record == made.record else "wrong"
    if not match.candidates:
        return "nobody"
    return "asked, with it" if made.record in [c.record for c in match.candidates] else "asked"


def _print(seen: dict[str, Counter[str]], seconds: list[float], missed: int) -> int:
    outcomes = ("right", "wrong", "asked, with it", "asked", "nobody")
    print("| variant | files | " + " | ".join(outcomes) + " |")
    print("|---|---|" + "---|" * len(outcomes))
    for name, counts in seen.items():
        figures = " | ".join(str(counts[outcome]) for outcome in outcomes)
        print(f"| {name} | {counts.total()} | {figures} |")
    n, wrong = (sum(c.total() for c in seen.values()), sum(c["wrong"] for c in seen.values()))
    print(
        f"{n} files; reading {seconds[0] / n:.2f} s, matching {seconds[1] / n * 1000:.1f} ms each"
    )
    return 1 if wrong or missed else 0


if __name__ == "__main__":
    sys.exit(main())
