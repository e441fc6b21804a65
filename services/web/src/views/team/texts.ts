import { count, number, percent } from "../../texts/format";

export const teamTexts = {
  title: "Team",
  you: "you",
  decided: (n: number, target: number | null) =>
    target === null ? `${number(n)} decided` : `${number(n)} of ${number(target)} decided`,
  share: (share: number) => `share ${percent(share)}`,
  paused: "paused",
  change: "Change",
  changeOf: (name: string) => `Change ${name}`,
  role: "Role",
  may: (what: string) => `Can ${what}.`,
  shareLabel: "Share of the records, in per cent (empty: as the others)",
  pause: "Paused: gets no more records",
  remove: "Remove from the review",
  removeTitle: (name: string) => `Remove ${name}?`,
  keep: "Keep their decisions",
  void: "Void their decisions",
  voidSince: "Only those made since (optional)",
  effect: (voided: number, changed: number | null) =>
    changed === null
      ? `${count(voided, "decision is", "decisions are")} voided.`
      : `${count(voided, "decision is", "decisions are")} voided; ${count(changed, "record changes", "records change")} status.`,
  invite: "Invite somebody",
  inviteHint: "The link is good once. Send it yourself; no mail is sent.",
  email: "Only for this e-mail (optional)",
  makeLink: "Make a link",
  link: "Send this link. It is shown only now.",
  invitations: "Invitations",
  invitedAs: (role: string, until: string) => `${role} · until ${until}`,
  revoke: "Revoke",
  states: { open: "open", accepted: "accepted", expired: "expired", revoked: "revoked" },
  anybody: "Anybody who has the link",
  pilot: "Pilot round",
  pilotMore: "All reviewers screen the same records first and compare their decisions, before the rest is shared out.",
  pilotSize: "Number of records",
  pilotStart: "Begin the pilot round",
  pilotRunning: (n: number) => `Running: ${count(n, "record", "records")}`,
  pilotEnd: "End the pilot round",
  pilotEnded: "The pilot round is over. Agreement in it is among the figures of “Progress”.",
};
