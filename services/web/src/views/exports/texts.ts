export const exportTexts = {
  title: "Export",
  format: "Format",
  formats: {
    ris: "RIS",
    csv: "CSV",
    xlsx: "Excel (XLSX)",
    bibtex: "BibTeX",
    jsonl: "JSON lines",
    decisions: "All decisions (CSV)",
  },
  hints: {
    ris: "For reference managers: EndNote, Zotero, Mendeley.",
    csv: "A table with decisions, reasons and notes, as far as you may see them.",
    xlsx: "A workbook with decisions, reasons and notes, as far as you may see them.",
    bibtex: "For LaTeX and JabRef.",
    jsonl: "For programs: one record a line.",
    decisions: "Who decided what and when, with the rank at that moment; as far as you may see them.",
  },
  which: "Which records",
  whichMore: {
    title_abstract: "“Included” by title and abstract. For what the review includes in the end, choose the stage “Full text”.",
    full_text: "“Included” in the end; only what got to full text.",
  },
  all: "All",
  download: "Download",
};
