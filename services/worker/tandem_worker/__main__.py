"""`python -m tandem_worker`: one Celery worker with its task processes."""

from tandem.config import settings
from tandem_worker.app import app


def main() -> None:
    app.worker_main(
        [
            "--quiet",
            "worker",
            f"--loglevel={settings().log_level.upper()}",
            "--without-gossip",
            "--without-mingle",
        ]
    )


if __name__ == "__main__":
    main()
