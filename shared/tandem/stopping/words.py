"""What an audit says in words: before, during, after, and in a methods section."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tandem.stopping.states import AuditState, Shown, certificate_in_force

_WAITS = {
    "conflict": ("record is in conflict", "records are in conflict"),
    "awaiting": ("record lacks decisions", "records lack decisions"),
    "drawn_undecided": ("drawn record is undecided", "drawn records are undecided"),
}


def sentences(found: Shown) -> list[str]:
    """Return what an owner reads about an audit, one sentence after the other."""
    now, given = found.now, certificate_in_force(found.audit)
    percent = (
        f"{float(now.confidence):.0%} confidence that you have at least {float(now.target):.0%}"
    )
    texts = []
    if found.state is AuditState.CERTIFIED:
        given = given or {"target_recall": now.target, "confidence": now.confidence}
        on = f" on {_day(given)}" if "given_at" in given else ""
        texts.append(
            f"Certified{on}: recall at least {float(given['target_recall']):.0%} with "
            f"{float(given['confidence']):.0%} confidence, for your team's own decisions."
        )
    elif found.state is AuditState.WITHDRAWN:
        texts.append(
            f"The certificate is withdrawn. {found.audit.certificates[-1]['withdrawn_because']}"
        )
    elif found.state is AuditState.ABANDONED:
        texts.append("This audit is over and has no certificate.")
    else:
        if given is not None:
            recall = f"{given['target_recall']:.0%}"
            texts.append(f"The certificate of {_day(given)} for a recall of {recall} holds on.")
        texts.append(
            f"To show with {percent} of what your team would include, about {now.draws_to_go:,} of "
            f"the {now.pool:,} records left must be read in random order, if none of them is an "
            "include."
        )
        texts.append(
            f"{now.n_draws:,} read at random, {now.hits:,} of them included. Evidence {now.e:.3g} "
            f"of {now.needed:g}{', provisional' if now.is_provisional else ''}."
        )
    if math.isinf(now.log_carried):
        texts.append(
            "A correction refutes what the frame before this one had shown: abandon this audit "
            "and register a new one."
        )
    texts += [f"{n:,} {_WAITS[kind][n != 1]}." for kind, n in found.ledger.waiting.items() if n]
    if not now.can_certify:
        texts.append("Records that came since could hold too many includes: screen them.")
    return texts


def _day(given: Mapping[str, Any]) -> str:
    return f"{datetime.fromisoformat(given['given_at']):%-d %B %Y}"


def certificate_text(given: dict[str, Any], *, people: str) -> str:
    """Return a certificate as Markdown, to print and to attach.

    Args:
        given: As it is stored.
        people: What is known of the team's own sensitivity, in one sentence.
    """
    target, confidence = f"{given['target_recall']:.0%}", f"{given['confidence']:.0%}"
    day = _day(given)
    evidence = (
        "The records left are too few to hold what would make the recall too low."
        if given["is_certain"]
        else f"The evidence reached {given['e']:.4g}; {given['e_needed']:g} is needed."
    )
    lines = [
        "# Certificate of recall",
        "",
        f"Certified on {day}: recall at least {target} with {confidence} confidence, for the "
        "team's own decisions.",
        "",
        "| | |",
        "|---|---|",
        f"| Included | {given['found']:,} |",
        f"| Read in random order | {given['n_draws']:,}, of which {given['n_draw_includes']:,} "
        "were included |",
        f"| Not read | {given['pool']:,} |",
        f"| Frame | {given['frame']['n']:,} records, numbers 1 to {given['frame']['last']} |",
        f"| Seal of the random order | `{given['frame']['sha256']}` |",
        "",
        evidence,
        "",
        "It holds for any ranking, wherever the includes are, and however often anybody looked. It "
        "says nothing of records that both reviewers would misjudge. " + people,
    ]
    lines += _changes(given["changes"])
    if given["withdrawn_at"] is not None:
        lines += ["", f"**Withdrawn.** {given['withdrawn_because']}"]
    return "\n".join(lines) + "\n"


def _changes(changes: Sequence[dict[str, Any]]) -> list[str]:
    if not changes:
        return []
    return ["", "Changed after it was registered:", "", *(f"- {one['what']}" for one in changes)]


def methods_text(given: dict[str, Any], *, registered: datetime, team: str, model: str) -> str:
    """Return a paragraph for a methods section (PRISMA 2020, item 8).

    Args:
        given: The certificate.
        registered: When the target was registered.
        team: How the stage is screened, such as "two reviewers".
        model: What ordered the records.
    """
    reached = (
        "the records left could not hold enough includes"
        if given["is_certain"]
        else f"reached {given['e']:.4g} (needed {given['e_needed']:g})"
    )
    return (
        f"Titles and abstracts were screened independently in Tandem ({team}). Records were "
        f"ordered by an active-learning model ({model}, retrained after decisions; it made no "
        f"decisions). Before the sample was used ({registered:%Y-%m-%d}) we registered a target "
        f"recall of {given['target_recall']:g} with {given['confidence']:.0%} confidence. "
        f"{given['n_draws']:,} records were read in a random order fixed in advance (seed "
        f"commitment {given['frame']['sha256']}); {given['n_draw_includes']:,} were included. A "
        "test martingale for sampling without replacement, valid at any stopping time and for any "
        f"ranking, {reached}; we stopped with {given['found']:,} included and {given['pool']:,} "
        "records unread. The certificate concerns our own final decisions. The records unread were "
        "not screened, and excluded by nobody." + _changed_text(given["changes"])
    )


def _changed_text(changes: Sequence[dict[str, Any]]) -> str:
    if not changes:
        return ""
    return f" After the registration these changed: {'; '.join(one['what'] for one in changes)}."


def team_text(missed: float | None, in_both: int, fewest: int) -> str:
    """Return what double reading says of what both reviewers missed."""
    if missed is None or in_both < fewest:
        return (
            f"Too few records were included by both of two reviewers ({in_both}) to estimate those."
        )
    return f"From double reading about {missed:.1f} includes were missed by both."
