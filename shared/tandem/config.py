"""Process configuration, read once from `TANDEM_*` environment variables."""

import hashlib
import ipaddress
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_LONGEST_SOCKET_PATH = 100
"""Unix sockets have 104 (macOS) to 108 (Linux) bytes for their path, NUL included."""

_OWN_PATHS = ("/api", "/docs", "/healthz", "/readyz", "/metrics")
"""A path prefix must not equal one of these, the paths of the API."""


class Settings(BaseSettings):
    """Every setting with its default; `tandem config` prints them.

    Without `database_url` and `redis_url` the embedded installation in `data_dir` is meant:
    SQLite, a Valkey server on a Unix socket and artefacts in a folder.
    """

    model_config = SettingsConfigDict(env_prefix="TANDEM_", frozen=True, extra="ignore")

    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("tandem"),
        description="Folder of the embedded installation: database, broker files, artefacts.",
    )
    database_url: str | None = Field(
        default=None, description="postgresql://… or sqlite:///…; unset: SQLite in data_dir."
    )
    redis_url: str | None = Field(
        default=None, description="redis://… ; unset: the Valkey server of data_dir."
    )
    artifact_url: str | None = Field(
        default=None, description="Folder or fsspec URL (s3://…); unset: a folder in data_dir."
    )
    host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    port: int = Field(default=8000, ge=1, le=65535, description="Port the API listens on.")
    api_processes: int = Field(
        default=1,
        ge=1,
        le=64,
        description="API processes that share this port. Each answers requests on one processor.",
    )
    public_url: str | None = Field(
        default=None,
        description="Address that people use, where a proxy stands before the API; it may have a "
        "path: https://screening.example.org/tandem.",
    )
    page_folder: Path | None = Field(
        default=None,
        description="Folder of the built page; unset: the one that belongs to the program. One "
        "that is not there switches the page off.",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1,::1",
        description="Addresses and networks of proxies, with commas between: from these, and from "
        "nobody else, X-Forwarded-For, -Proto and -Host are taken.",
    )
    cors_origins: str = Field(
        default="",
        description="Other sites whose pages may use the API with a signed-in browser, with commas "
        "between: https://front.example.org. None by default.",
    )
    min_free_mb: int = Field(
        default=200,
        ge=0,
        description="With less than that free, in MiB, on the disk of the database, of the "
        "artefacts or of temporary files, the API says that it is not ready.",
    )
    busy_seconds: float = Field(
        default=10,
        gt=0,
        description="How long a request waits, in all, while others write to the database; then "
        "it is answered with 503 `busy`.",
    )
    keep_alive_seconds: int = Field(
        default=65, ge=1, description="How long a connection may wait for its next request."
    )
    request_head_seconds: float = Field(
        default=10, gt=0, description="How long a request's headers may take to come."
    )
    request_stall_seconds: float = Field(
        default=10,
        gt=0,
        description="Over so long a time a body that comes, or an answer that is read, must keep "
        "the least rate. How long they take in all has no limit.",
    )
    request_min_rate: int = Field(
        default=500, ge=1, description="The least rate of these, in bytes a second."
    )
    max_connections: int = Field(
        default=1000, ge=1, description="Connections to one API process, event streams aside."
    )
    max_connections_per_source: int = Field(
        default=200,
        ge=1,
        description="Connections, and requests at a time, of one client address (of IPv6: one "
        "network of 64 bits). Trusted proxies have no such limit, the clients behind them have it.",
    )
    max_streams: int = Field(default=5000, ge=1, description="Event streams of one API process.")
    max_streams_per_source: int = Field(
        default=200, ge=1, description="Event streams of one client address, as above."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe message that is logged."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        default="auto", description="auto: coloured lines on a terminal, JSON elsewhere."
    )
    worker_concurrency: int = Field(
        default=2, ge=1, le=256, description="Rankings that one worker makes at a time."
    )
    worker_large_concurrency: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Rankings of reviews of 50,000 records or more that one worker makes at a "
        "time, beside the others.",
    )
    worker_bulk_concurrency: int = Field(
        default=2,
        ge=1,
        le=256,
        description="Imports and the like that one worker runs at a time, beside rankings.",
    )
    worker_idle_seconds: float = Field(
        default=60,
        gt=0,
        description="After so long without work the processes of a worker's queue end and give "
        "their memory back; the next message starts them again.",
    )
    session_days: int = Field(
        default=14, ge=1, le=365, description="How long a sign-in lasts at most."
    )
    session_idle_hours: float = Field(
        default=72, gt=0, description="A sign-in that is not used for so long ends earlier."
    )
    max_upload_mb: int = Field(
        default=512,
        ge=1,
        description="Largest body of an import or of a batch of full texts, in MiB.",
    )
    text_max_mb: int = Field(
        default=100, ge=1, description="Largest file that a report's text may come in, in MiB."
    )
    text_quota_mb: int = Field(
        default=2000,
        ge=1,
        description="So much, in MiB, may the texts of one review take, each file once.",
    )
    scan_command: str | None = Field(
        default=None,
        description="Called with the path of each full text before anybody gets it: a virus "
        "scanner. It ends with 0: fine; with 1: nobody gets it; else: it is tried again.",
    )
    max_body_mb: int = Field(
        default=8, ge=1, description="Largest body of any other request, in MiB."
    )
    lease_minutes: float = Field(
        default=30, gt=0, description="How long a served record is held for its reviewer."
    )
    ranking_lease_seconds: float = Field(
        default=10,
        gt=0,
        description="A training whose worker is silent for this long is given to another.",
    )
    ranking_pause_seconds: float = Field(
        default=0.5,
        ge=0,
        description="From the begin of one training of a review to the next, so that many "
        "decisions become one training. It grows to eight times that while they pour in.",
    )
    sentence_vectors: bool = Field(
        default=True,
        description="Whether rankings use sentence vectors where they are installed. They are made "
        "in the background, about 30 records a second.",
    )
    ranking_model: str | None = Field(
        default=None,
        description="Recipe of the rankings, ours or of an installed package (docs/ranking.md); "
        "unset: the newest of ours. A review takes it up with its next training.",
    )
    ranking_memory_mib: int | None = Field(
        default=None,
        gt=0,
        description="MiB that a process may take to rank a review. A review that takes more by the "
        "formula of docs/capacity.md is ranked by a smaller recipe (its name ends in -small); "
        "unset: half of the machine's memory.",
    )
    import_memory_mib: int | None = Field(
        default=None,
        gt=0,
        description="MiB that a process may take to read a file and to find duplicates. An import "
        "that takes more by the formula of docs/capacity.md fails before it starts, and says what "
        "to do; unset: half of the machine's memory.",
    )
    sweep_seconds: float = Field(
        default=2, gt=0, description="How often the relay looks for work whose message got lost."
    )
    stream_maxlen: int = Field(
        default=100_000,
        ge=1,
        description="About so many events are kept in the Redis Stream; older ones are read over "
        "HTTP.",
    )
    webhooks_allow_private: bool = Field(
        default=False,
        description="Webhooks may go to this machine and to private networks too, which every "
        "owner of a review could then reach.",
    )
    webhooks_allow_http: bool = Field(
        default=False, description="Webhooks may go over plain http, readable on the way."
    )
    webhook_threads: int = Field(
        default=16, ge=1, le=256, description="Webhooks that one relay serves at a time."
    )
    test_database_url: str | None = Field(
        default=None, description="Tests only: a PostgreSQL server to use for them."
    )

    @field_validator("public_url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if not url:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError("write it as https://host, https://host:port or https://host/path")
        if parts.query or parts.fragment:
            raise ValueError("it has no ? and no #")
        if parts.path.startswith(_OWN_PATHS):
            raise ValueError(f"its path must not begin with {', '.join(_OWN_PATHS)}")
        return url.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        for one in filter(None, map(str.strip, text.split(","))):
            ipaddress.ip_network(one)
        return text

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        for one in filter(None, map(str.strip, text.split(","))):
            parts = urlsplit(one)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
                raise ValueError(f"{one!r} is not an origin such as https://front.example.org")
        return text

    @property
    def path_prefix(self) -> str:
        """The path of `public_url`: "" or as "/tandem"."""
        return urlsplit(self.public_url or "").path

    @property
    def other_origins(self) -> tuple[str, ...]:
        """`cors_origins`, one by one, as browsers write them."""
        return tuple(filter(None, map(str.strip, self.cors_origins.lower().split(","))))

    def resolved_database_url(self) -> str:
        """Return an SQLAlchemy URL with its driver named."""
        url = self.database_url or f"sqlite:///{self.data_dir.absolute() / 'tandem.sqlite3'}"
        for scheme in ("postgresql://", "postgres://"):
            if url.startswith(scheme):
                return "postgresql+psycopg://" + url.removeprefix(scheme)
        return url

    def resolved_redis_url(self) -> str:
        return self.redis_url or f"unix://{self.valkey_socket()}"

    def resolved_artifact_url(self) -> str:
        return self.artifact_url or str(self.data_dir.absolute() / "artifacts")

    def valkey_socket(self) -> Path:
        """Return where the embedded Valkey server listens.

        Beside the data where the path is short enough for a Unix socket, else in a private
        folder of the system's temporary one, named after the data folder.
        """
        beside = self.data_dir.absolute() / "valkey" / "valkey.sock"
        if len(os.fsencode(beside)) <= _LONGEST_SOCKET_PATH:
            return beside
        name = hashlib.sha256(os.fsencode(beside)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"tandem-{os.getuid()}-{name}" / "valkey.sock"


@cache
def settings() -> Settings:
    """Return the configuration of this process."""
    return Settings()
