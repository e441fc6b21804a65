import { count, number, percent, ratio } from "../../texts/format";

const share = (value: number) => percent(value);

export const stoppingTexts = {
  title: "When to stop",
  forYou: "For you",
  leftForYou: (n: number) =>
    n === 0 ? "Nothing is left for you to screen." : `${count(n, "record is", "records are")} left for you to screen.`,
  ownMore:
    "How far the team is, and whether it may stop, is shown to those who lead the review: a single reviewer has not earned that advice yet.",
  standing: "Where the team stands",
  figures: {
    records: "Records",
    settled: "Settled",
    included: "Included",
    pending: "Begun, not settled",
    pool: "Nobody has decided",
  },
  // Before an audit.
  begin: "Prove that you may stop",
  beginMore:
    "An audit draws records at random beside the ranked ones. It proves, with a confidence that you choose, how much of what your team would include it has found. It holds for any ranking, and however often you look.",
  noIncludes: "Nothing is included yet. An audit can be registered once the first record is included.",
  target: "Find at least",
  targetOption: (value: number) => `${share(value)} of what we would include`,
  confidence: "With a confidence of",
  cost: (target: number, confidence: number, draws: number, pool: number) =>
    `To show with ${share(confidence)} confidence that you have at least ${share(target)} of what your team would include, about ${number(draws)} of the ${count(pool, "record", "records")} left must be read in random order, if none of them is an include.`,
  costOneLeft: (draws: number) =>
    `If one include is among them, it takes about ${number(Math.round(draws))}: each include found adds to it.`,
  costShare: (found: number, part: number) =>
    `With ${count(found, "include", "includes")} found, that is ${share(part)} of the records left.`,
  costNothing: "Nothing more has to be read: too few records are left to hide so many includes.",
  register: "Register the target…",
  registerTitle: "Register this target?",
  registerEffects: (pool: number) => [
    `The random order of the ${count(pool, "record", "records")} left is fixed now and sealed. Nobody can see it before the audit ends.`,
    "From now on, one record in twenty is drawn at random and counts. Reviewers see no difference.",
    "The confidence cannot be changed afterwards. Another target can be chosen, and the certificate says so.",
  ],
  note: "Why this target? (optional, for the report)",
  registerNow: "Register",
  onlyOwners: "An owner of the review can register an audit.",
  // During an audit.
  audit: "The audit",
  aims: (target: number, confidence: number) => `At least ${share(target)}, with ${share(confidence)} confidence`,
  states: {
    registered: "Registered",
    open: "Open: random order",
    paused: "Paused",
    blocked: "Waiting",
    certified: "Certified",
    withdrawn: "Withdrawn",
    exhausted: "Nothing left to draw",
    abandoned: "Ended",
  },
  evidence: (e: number, needed: number) => `Evidence ${e < 0.01 ? "below 0.01" : ratio(e)} of ${ratio(needed)}`,
  evidenceLeast: (e: number, needed: number) =>
    e < 0.01 ? `Evidence at least 0 of ${ratio(needed)}` : `Evidence at least ${ratio(e)} of ${ratio(needed)}`,
  evidenceCertain: "Certain without statistics",
  evidenceProvisional:
    "Provisional: until what waits is settled, drawn records count as includes and all others as excludes.",
  evidenceBelow: "Evidence below the mark proves nothing yet; it is no partial certificate.",
  drawn: (n: number, hits: number) => `${number(n)} read at random, ${number(hits)} of them included`,
  toGo: (n: number) => `about ${count(n, "more draw", "more draws")} if none is an include`,
  recallLow: (value: number) => `Recall is at least ${share(value)}, with this confidence, as things stand.`,
  blocking: "What it waits for",
  blockingNothing: "Nothing waits.",
  blocks: {
    conflict: (n: number) => `${count(n, "record of those read is", "records of those read are")} in conflict`,
    awaiting: (n: number) => `${count(n, "record lacks", "records lack")} a decision of another reviewer`,
    drawn_undecided: (n: number) => `${count(n, "drawn record is", "drawn records are")} not decided by anybody yet`,
    outside_frame: (n: number) =>
      `${count(n, "record that", "records that")} came after the registration ${n === 1 ? "is" : "are"} not settled`,
  } as Record<string, (n: number) => string>,
  blocked: (kind: string, n: number) => `${kind}: ${number(n)}`,
  pendingDraws: "Drawn records that are not settled",
  draws: "All draws",
  drawsNone: "No record is drawn yet",
  drawColumns: { i: "Draw", record: "Record", pool: "Records in the pool", outcome: "Outcome", factor: "Factor", e: "Evidence" },
  outcomes: { include: "Included", exclude: "Excluded", pending: "Not settled" },
  record: (id: string) => `Record ${id}`,
  frame: "Frame and seal",
  frameIs: (n: number, last: number) =>
    `${count(n, "record", "records")}, numbers 1 to ${number(last)}, as at the registration.`,
  registeredBy: (name: string, when: string) => `Registered by ${name} on ${when}.`,
  seal: "Seal of the random order (SHA-256)",
  seed: "Seed of the random order",
  carried: (e: number) => `It began with the evidence of an audit before it: ${ratio(e)}.`,
  outside: (settled: number, includes: number, unsettled: number) =>
    `Records that came after the registration: ${number(settled)} settled (${number(includes)} of them included), ${number(unsettled)} not settled. No draw is made among them: they are screened in full, or taken in by beginning again over all records.`,
  changes: "Changed since it was registered",
  // What an owner may do.
  open: "Open it: random order now…",
  openTitle: "Open the audit?",
  openEffects: (draws: number) => [
    "Everybody is given the records that others have begun first, then records in random order, until you pause or the target is shown.",
    `That takes about ${count(draws, "draw", "draws")} if none of them is an include.`,
    "Reviewers read that records now come in random order, and nothing else.",
    "You may pause at any time. No evidence is lost by that.",
  ],
  openNow: "Open the audit",
  pause: "Pause it: ranked order again…",
  pauseTitle: "Pause the audit?",
  pauseEffects: [
    "Records come in the ranked order again, and one in twenty is still drawn at random.",
    "The evidence so far is kept and goes on.",
  ],
  pauseNow: "Pause the audit",
  change: "Change the target…",
  changeTitle: "Aim at another recall?",
  changeEffects: [
    "Draws so far keep what they were a bet on. A higher target needs more of them.",
    "The change is named in the certificate and in the methods paragraph.",
  ],
  changeNow: "Change the target",
  reframe: "Take in the new records…",
  reframeTitle: "Begin again over all records?",
  reframeEffects: [
    "A new audit begins, over all records that there are now, with a new random order and seal.",
    "The evidence so far goes on in it, but never as more than 1.",
    "This audit ends and its seed is revealed.",
  ],
  reframeNow: "Take in the new records",
  end: "End it…",
  endTitle: "End this audit for good?",
  endEffects: (isCertified: boolean) => [
    isCertified
      ? "The certificate stays as it is, and goes on being checked against later corrections."
      : "There will be no certificate from this audit: the evidence so far is lost.",
    "Nothing is drawn after that. Records come in the ranked order.",
    "The seed is revealed, so that anybody can recompute the random order.",
    "This cannot be undone. A new audit can be registered.",
  ],
  endNow: "End the audit",
  certificate: "The certificate",
  earlier: "Audits that are over",
  // What it says.
  meaning: "What a certificate says, and what it does not",
  says: "It says",
  saysNot: "It does not say",
  saysItems: [
    "Of the records that your team would include, at least the target was found; such a statement is wrong at most as often as the confidence allows.",
    "It holds for any ranking, wherever the includes are, and however often anybody looked.",
  ],
  saysNotItems: [
    "Anything of records that both reviewers would misjudge: it is about your team’s own decisions.",
    "Anything of studies that the searches did not find.",
    "That the records left hold no include.",
  ],
  // Heuristics.
  display: "Signs without a guarantee",
  runs: "Settled records since the last include",
  runsAssume: (bars: string) => `Many teams stop at ${bars}. That assumes that includes come evenly; it says nothing of the recall.`,
  knee: "Slope before the knee, against the slope after it",
  kneeAssume: "The usual bar is 6. That assumes that one bend of the curve is the last one.",
  kneeNone: "no knee yet",
  p: (target: number) => `p of “recall is below ${share(target)}”`,
  pAssume: "A hypergeometric test. It assumes that what is left is no harder to find than in a random order. It is no confidence.",
  supported: "Largest recall that this test supports at 5 %",
  projected: "Includes among the records left",
  projectedValue: (n: number, low: number, high: number) =>
    `${number(Math.round(n))} (${number(Math.round(low))} to ${number(Math.round(high))})`,
  projectedAssume: "Assumes that includes stay as frequent as among the last records settled.",
  tooEarly: "too early to say",
  // Two reviewers.
  team: "What both reviewers may have missed",
  teamBoth: "Included by both",
  teamOnly: "Only by one",
  teamOne: "Sensitivity of each",
  teamTogether: "Of both together",
  teamMissed: "Missed by both, about",
  teamFew: "Too few records were included by both of two reviewers to say more.",
  teamNone: "No included record has been decided by two reviewers yet.",
  plot: "The picture",
  plotAlt:
    "Above, includes found against records settled; below, the evidence of the audit against the draws. The numbers stand in the text.",
  // The certificate as a page.
  print: "Print",
  json: "Download as JSON",
  markdown: "Download as Markdown",
  methods: "For the methods section",
  withdrawn: "This certificate is withdrawn",
  back: "When to stop",
  noCertificate: "This audit has no certificate",
};
