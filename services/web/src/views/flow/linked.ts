/** Takes a drawn flow diagram into the page: shapes, words and links, and nothing that runs. */

const SHAPES = new Set(["svg", "title", "desc", "defs", "marker", "g", "path", "rect", "text", "tspan", "a"]);
const ATTRIBUTES = new Set(
  "id viewBox width height font-family font-size font-weight font-style role aria-labelledby refX refY markerWidth markerHeight orient d fill stroke stroke-width stroke-dasharray marker-end x y text-anchor text-decoration".split(" "),
);

export interface Target {
  href: string;
  go: () => void;
}

/**
 * Returns the diagram as an element; null if it is no drawing.
 *
 * `at` says where a box, and a part of it, is listed in the page. What is not known is left out.
 */
export function linked(svg: string, at: (key: string, part: string | null) => Target): SVGElement | null {
  const root = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  if (root.nodeName !== "svg") return null;
  return copy(root, at) as SVGElement | null;
}

function copy(from: Element, at: (key: string, part: string | null) => Target): Element | null {
  if (!SHAPES.has(from.nodeName)) return null;
  const made = document.createElementNS("http://www.w3.org/2000/svg", from.nodeName);
  for (const { name, value } of from.attributes) if (ATTRIBUTES.has(name)) made.setAttribute(name, value);
  const href = from.getAttribute("href");
  if (from.nodeName === "a" && href !== null) link(made, from, href, at);
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) made.append(child.textContent ?? "");
    else if (child instanceof Element) {
      const inner = copy(child, at);
      if (inner !== null) made.append(inner);
    }
  }
  return made;
}

function link(made: Element, from: Element, href: string, at: (key: string, part: string | null) => Target): void {
  const [path = "", asked = ""] = href.split("?");
  const [, key] = /\/prisma\/boxes\/([^/]+)$/.exec(path) ?? [];
  if (key === undefined) return;
  const target = at(decodeURIComponent(key), new URLSearchParams(asked).get("part"));
  made.setAttribute("href", target.href);
  if (from.querySelector("text") === null) {
    // The frame of a box leads where its words lead: one link is enough for who cannot point.
    made.setAttribute("tabindex", "-1");
    made.setAttribute("aria-hidden", "true");
  }
  made.addEventListener("click", (event) => {
    const { ctrlKey, metaKey, shiftKey } = event as MouseEvent;
    if (ctrlKey || metaKey || shiftKey) return;
    event.preventDefault();
    target.go();
  });
}
