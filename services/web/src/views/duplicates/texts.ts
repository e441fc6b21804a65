export const duplicateTexts = {
  title: "Duplicates",
  states: { proposed: "To decide", linked: "Linked", kept: "Kept apart" },
  none: {
    proposed: "No possible duplicates to decide",
    linked: "No duplicates are linked",
    kept: "None were kept apart",
  },
  lead: "Records that may be one and the same. Linked records are screened once; nothing is deleted, and they can be taken apart again.",
  noneMore: {
    proposed: "Tandem looks for them after each import and links those that are certain. What is not certain is asked here.",
    linked: "When records are linked, by Tandem or by you, they are listed here, and can be taken apart.",
    kept: "What you decided to keep apart is listed here, and can still be linked.",
  },
  likeness: (score: string) => `Likeness ${score}`,
  merge: "They are one",
  keep: "Keep apart",
  split: "Take apart",
  differs: "differs",
  fields: {
    title: "Title",
    authors: "Authors",
    journal: "Journal",
    year: "Year",
    pages: "Volume / issue / pages",
    doi: "DOI",
    abstract: "Abstract",
  },
};
