"""Whether any file makes a reader fail, hang or lose a part of it: coverage-guided fuzzing.

Usage: benchmarks/fuzz_readers.py [--seconds 600] [--corpus DIR] [--seeds DIR...]

Needs the extra `fuzz` (atheris). Files are made by changing those of `--seeds` (small ones of the
tests, if none are given) such that they reach new code. A file fails if a reader raises what it
does not name, yields more or fewer items than it counts, leaves a part of the text out, or takes
more than 10 seconds for each megabyte. The first that fails ends the run with exit code 77 and is
written beside; put it into `tests/unit/records/fuzzed` with what mends it.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tandem.records"]):
    from tandem.errors import TandemError
    from tandem.records.formats import reading
    from tandem.records.formats.entry import Rejection
    from tandem.records.formats.pieces import FAULT

SEEDS = Path(__file__).parents[1] / "tests/unit/records"
LONGEST = 20_000
SECONDS_PER_MB = 10
LEAST_SECONDS = 5.0
"""Below this a busy machine makes the difference."""


def read(data: bytes) -> None:
    began = time.process_time()
    try:
        result = reading.read(data)
    except TandemError:
        pass
    else:
        items = list(result.entries)
        assert len(items) == result.total, f"{len(items)} items of {result.total}"
        faults = [item for item in items if isinstance(item, Rejection) and FAULT in item.reason]
        assert not faults, f"a reader failed; its log says at what: {faults[0]}"
        if result.cut is not None:
            end = 0
            for start, following, _ in result.cut:
                assert start == end < following, f"a gap at {end}"
                end = following
            assert end == len(result.cut.data), f"ends at {end}"
    seconds = time.process_time() - began
    allowed = max(LEAST_SECONDS, SECONDS_PER_MB * len(data) / 1e6)
    assert seconds <= allowed, f"{seconds:.1f} s for {len(data)} bytes"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--corpus", type=Path, help="kept between runs; a temporary one if none")
    parser.add_argument(
        "--seeds", type=Path, nargs="*", default=[SEEDS / "cases", SEEDS / "fuzzed"]
    )
    options = parser.parse_args()
    corpus = options.corpus or Path(tempfile.mkdtemp())
    corpus.mkdir(parents=True, exist_ok=True)
    arguments = [
        sys.argv[0],
        f"-max_total_time={options.seconds}",
        f"-max_len={LONGEST}",
        "-timeout=60",
        "-rss_limit_mb=4096",
        str(corpus),
        *map(str, options.seeds),
    ]
    atheris.Setup(arguments, read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
