"""The names of the formats records and decisions are written in. Loads nothing."""

from typing import Literal

ExportFormat = Literal["ris", "bibtex", "csv", "xlsx", "csl_json", "jsonl", "decisions", "trail"]
"""`decisions` is the ledger as CSV, `trail` the audit trail; the others are records."""
