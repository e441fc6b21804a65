"""`python -m tandem_worker [QUEUE]`: Celery workers with their task processes.

Without a queue this process runs one worker for each, so that what takes hours (imports) or
minutes (rankings of large reviews) has slots of its own and never the last one that a usual ranking
could have. With a queue's name it is the worker of that queue alone; `rankings` runs that of large
reviews, too.
"""

import sys

from tandem.tasks import QUEUES
from tandem_worker import pools


def main(arguments: list[str]) -> int:
    if not arguments:
        return pools.run_all()
    if arguments == ["rankings"]:
        return pools.run_all(("rankings", "large"))
    (name,) = arguments
    if name not in QUEUES:
        sys.stderr.write(f"There is no queue {name!r}; there are: {', '.join(QUEUES)}.\n")
        return 2
    return pools.run_all((name,))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
