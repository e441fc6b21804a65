export const duplicateTexts = {
  title: "Duplicates",
  states: { proposed: "To decide", linked: "Linked", kept: "Kept apart" },
  none: {
    proposed: "No possible duplicates to decide",
    linked: "No duplicates are linked",
    kept: "None were kept apart",
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
