"""Progress messages about running work, for pages that show a bar.

Such a message is no event: it is in no log, has no number and no id, and is not sent again. It
tells a blinded reviewer nothing: of imports it says what every member reads in `GET …/imports`;
of rankings that one was begun and is over, which every change leads to, whatever the verdict, and
how far the features are, which are made of texts alone. Of fits it counts none: there are fewer
of them while all verdicts are the same.
"""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict


class Progress(BaseModel):
    """The progress of a piece of work."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: ClassVar[str]


class ImportProgress(Progress):
    """A file is being read, or its duplicates are looked for."""

    type = "tandem.import.progress"
    import_id: str
    state: Literal["queued", "running", "done", "failed", "taken_back"]
    step: Literal["reading", "linking"] | None
    percent: int | None
    n_read: int
    n_total: int | None
    n_added: int
    n_duplicates: int
    n_rejected: int


class RankingProgress(Progress):
    """A training has begun, goes on, or is over: its ranking is there, or it brought none."""

    type = "tandem.ranking.progress"
    ranking: Literal["started", "finished", "failed"]
    step: Literal["features", "fitting"] | None = None
    percent: int | None = None
