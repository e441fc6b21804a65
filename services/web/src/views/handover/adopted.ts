/** Takes a written report into the page: its structure and its words, and nothing that runs. */

/** Headings stand below those of the view. */
const ELEMENTS: Record<string, string> = {
  H1: "h3",
  H2: "h4",
  H3: "h5",
  H4: "h6",
  P: "p",
  UL: "ul",
  LI: "li",
  STRONG: "strong",
  TABLE: "table",
  THEAD: "thead",
  TBODY: "tbody",
  TR: "tr",
  TH: "th",
  TD: "td",
};

/** Returns what a page of HTML says as elements of this page; without attributes, so without addresses. */
export function adopted(html: string): DocumentFragment {
  const made = document.createDocumentFragment();
  const { body } = new DOMParser().parseFromString(html, "text/html");
  for (const child of body.childNodes) copy(child, made);
  return made;
}

function copy(from: Node, into: Node): void {
  if (from.nodeType === Node.TEXT_NODE) {
    into.appendChild(document.createTextNode(from.textContent ?? ""));
    return;
  }
  if (!(from instanceof Element)) return;
  const name = ELEMENTS[from.nodeName];
  if (name === undefined) return;
  const element = document.createElement(name);
  if (name === "th") element.setAttribute("scope", "col");
  for (const child of from.childNodes) copy(child, element);
  if (name !== "table") {
    into.appendChild(element);
    return;
  }
  // A wide table scrolls by itself.
  const box = document.createElement("div");
  box.className = "scrolls";
  box.appendChild(element);
  into.appendChild(box);
}
