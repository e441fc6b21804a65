"""The names of the formats records and decisions are written in. Loads nothing."""

from typing import Literal

ExportFormat = Literal["ris", "bibtex", "csv", "xlsx", "csl_json", "jsonl", "decisions"]
"""`decisions` is the ledger as CSV, the others are records."""
