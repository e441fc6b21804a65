"""Reports that nearly were included, as the report of the methods lists them. Pure."""

from collections.abc import Iterator

from tandem.handover.document import Block, Heading, Paragraph, Table, ToAdd
from tandem.handover.methods_facts import MethodsFacts
from tandem.reporting.near_misses import Because


def near_misses(facts: MethodsFacts) -> Iterator[Block]:
    """Yield what item 16b asks for: reports that nearly were included, and why they are not."""
    as_of = f"as of event {facts.as_of}"
    yield Heading("Reports that might appear to meet the criteria (item 16b)", 3)
    if not facts.near_misses:
        yield Paragraph(f"No excluded report is listed as a near miss [{as_of}].")
        return
    yield Paragraph(
        "Listed are excluded reports that somebody would have kept in, that a resolution left "
        "out, that only the last of the reasons excludes, or that an owner lists. Owners strike "
        "or explain them in Tandem."
    )
    rows = [
        (
            one.reference,
            one.reason or "not said",
            "; ".join(_BECAUSE[why] for why in one.because),
            one.explanation or "–",
            as_of if one.seq is None else f"event {one.seq}",
        )
        for one in facts.near_misses
    ]
    yield Table(("Report", "Reason for exclusion", "Listed because", "Explanation", "From"), rows)
    if any(one.explanation is None for one in facts.near_misses):
        yield ToAdd("which of these are worth citing, and the explanations that are missing.")


_BECAUSE = {
    Because.VOTE: "somebody would have kept it in",
    Because.RESOLUTION: "a resolution left it out",
    Because.LAST_REASON: "only the last reason excludes it",
    Because.LISTED: "an owner lists it",
}
