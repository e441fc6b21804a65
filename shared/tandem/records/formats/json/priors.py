"""Decisions of an earlier screening that a record of JSON carries."""

from collections.abc import Mapping

from tandem.records.formats import priors
from tandem.records.formats.entry import Prior
from tandem.records.formats.json.values import text, texts


def decisions(screened: object) -> tuple[Prior, ...]:
    """Return the `decisions` of a record that was exported from here, one for each reviewer."""
    found = screened.get("decisions") if isinstance(screened, Mapping) else None
    return tuple(
        Prior(
            verdict,
            text(one.get("reviewer")) or None,
            tuple(dict.fromkeys(texts(one.get("reasons")))),
            tuple(dict.fromkeys(texts(one.get("labels")))),
        )
        for one in (found if isinstance(found, list) else ())
        if isinstance(one, Mapping) and (verdict := priors.label(text(one.get("verdict"))))
    )
