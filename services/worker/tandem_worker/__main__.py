"""`python -m tandem_worker [QUEUE]`: Celery workers with their task processes.

Without a queue this process runs one worker for each, so that what takes hours (imports) has
slots of its own and never the last one that a ranking could have. With a queue's name it is the
worker of that queue alone.
"""

import sys

from tandem.config import settings
from tandem.tasks import QUEUES
from tandem_worker import pools


def main(arguments: list[str]) -> int:
    if not arguments:
        return pools.run_all()
    name, *options = arguments
    if name not in QUEUES:
        sys.stderr.write(f"There is no queue {name!r}; there are: {', '.join(QUEUES)}.\n")
        return 2
    serve(name, is_part=pools.AS_PART in options)
    return 0


def serve(name: str, *, is_part: bool) -> None:
    """Be the worker of one queue until somebody asks for the end."""
    # Not before: the process that only looks after workers needs no Celery.
    from tandem_worker import app

    # Alone it is also what a health check means by "the worker".
    app.serve(name, heartbeat_as=[f"worker-{name}"] + ([] if is_part else ["worker"]))
    if is_part:
        pools.end_with_parent()
    app.app.worker_main(
        [
            "--quiet",
            "worker",
            f"--loglevel={settings().log_level.upper()}",
            f"--queues={QUEUES[name]}",
            # Two workers of one host must not have one name.
            f"--hostname={name}@%h",
            "--without-gossip",
            "--without-mingle",
        ]
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
