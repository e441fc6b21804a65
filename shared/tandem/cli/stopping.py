"""`tandem stopping`: prints how far a stage is, and what its audit has shown."""

import json
from typing import Annotated, Any

import typer

STAGES = ("title_abstract", "full_text")

_KINDS = {
    "conflict": "records in conflict",
    "awaiting": "records that lack a decision",
    "drawn_undecided": "drawn records that nobody has decided",
    "outside_frame": "records that came later",
}


def _stage(value: str) -> str:
    if value not in STAGES:
        raise typer.BadParameter(f"choose one of {', '.join(STAGES)}")
    return value


def stopping(
    review_id: Annotated[str, typer.Argument(help="The review's id.")],
    stage: Annotated[str, typer.Option("--stage", callback=_stage)] = STAGES[0],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the API's answer.")] = False,
) -> None:
    """Print whether a stage may stop, over HTTP. Set TANDEM_TOKEN and, if elsewhere, TANDEM_URL."""
    from tandem.cli.records import _asked, _client

    with _client() as client:
        found = _asked(client, "GET", f"/reviews/{review_id}/stopping", params={"stage": stage})
    typer.echo(json.dumps(found) if as_json else "\n".join(_lines(found)))


def _lines(found: dict[str, Any]) -> list[str]:
    if "remaining_for_you" in found:
        own = f"{found['remaining_for_you']:,} records are left for you to decide."
        return [own, found["note"]] if found["note"] else [own]
    counts = (
        "{n_records:,} records: {n_settled:,} settled, {n_included:,} included, "
        "{n_pending:,} pending, {n_pool:,} unread"
    )
    return [
        counts.format(**found),
        "",
        *_audit(found["audit"]),
        *(f"  waits for {_KINDS[one['kind']]}: {one['n']:,}" for one in found["blocking"]),
        *_costs(found["cost"]),
        *_displays(found["display"]),
        *_team(found["team"]),
    ]


def _audit(audit: dict[str, Any] | None) -> list[str]:
    if audit is None:
        return ["No audit is registered: nothing is certified."]
    aim = f"Audit, {audit['state']}: recall ≥ {audit['target_recall']:g} at {audit['confidence']:g}"
    return [aim, *(f"  {sentence}" for sentence in audit["sentences"])]


def _costs(costs: list[dict[str, Any]]) -> list[str]:
    if not costs:
        return []
    lines = [
        "",
        "Records to read at random for a certificate",
        "  recall  confidence  none found  one left",
    ]
    lines += [
        f"  {one['target_recall']:>6g}  {one['confidence']:>10g}  {one['draws_if_none_found']:>10,}"
        f"  {round(one['draws_if_one_left']):>8,}"
        for one in costs
    ]
    return lines


def _displays(display: dict[str, Any]) -> list[str]:
    fifty, share = display["run_bar"]
    run, knee = display["run_since_include"], display["knee_ratio"]
    test = display["hypergeometric"]
    lines = ["", f"Usual rules. {display['assumption']}"]
    lines.append(f"  run since the last include  {run:,} (many stop at {fifty} or {share})")
    if knee is not None:
        lines.append(f"  knee ratio                  {knee:.2g} (6 is the usual bar)")
    lines.append(
        f"  recall below {test['target_recall']:<14g} p = {test['p']:.2g} (hypergeometric)"
    )
    if (projected := display["projected"]) is not None:
        left = "{includes_left:.0f} ({low:.0f} to {high:.0f})".format(**projected)
        lines.append(f"  includes left               {left}, if they stay as frequent")
    return lines


def _team(team: dict[str, Any] | None) -> list[str]:
    if team is None or team["sensitivity_team"] is None:
        return []
    return [
        "",
        f"Two reviewers together find {team['sensitivity_team']:.1%} of what either would include; "
        f"about {team['chapman_missed']:.1f} were missed by both.",
        team["note"],
    ]
