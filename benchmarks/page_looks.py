"""All views at 200 % zoom, with reduced motion and with forced colours: what is wrong with them."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from browser.views import AXE, RUN_AXE, VIEWS
from browser.visitors import Visitor

_MOVING = """() => [...document.querySelectorAll("*")].filter((one) => {
  const style = getComputedStyle(one);
  const takes = (times) => times.split(",").some((time) => parseFloat(time) > 0);
  return (style.animationName !== "none" && takes(style.animationDuration))
    || (style.transitionProperty !== "none" && takes(style.transitionDuration));
}).map((one) => `moves: ${one.tagName}.${one.className}`)"""
_UNMARKED = """() => [...document.querySelectorAll("mark")].filter((one) => {
  const style = getComputedStyle(one);
  return !style.textDecorationLine.includes("underline") && style.borderBottomStyle === "none";
}).map((one) => `a mark without a line: ${one.textContent}`)"""
_UNFRAMED = """() => [...document.querySelectorAll("button.button.main, .answer")].filter((one) => {
  const style = getComputedStyle(one);
  return one.getClientRects().length > 0
    && style.borderTopStyle === "none" && style.outlineStyle === "none";
}).map((one) => `no border: ${one.tagName}.${one.className}`)"""
_FOCUS = """() => {
  const one = document.activeElement;
  if (one === null || one === document.body) return null;
  const name = `${one.tagName} ${one.textContent.trim().slice(0, 40)}`;
  const [box] = one.getClientRects();
  if (box === undefined) return `${name}: focused, not shown`;
  const style = getComputedStyle(one);
  const drawn = style.outlineStyle !== "none" || one.closest("label, svg") !== null;
  const across = Math.min(innerWidth - 1, Math.max(0, box.left + box.width / 2));
  const spots = [box.top + 1, box.top + box.height / 2, box.bottom - 1];
  const free = spots.some((y) => {
    const top = y >= 0 && y < innerHeight ? document.elementFromPoint(across, y) : null;
    return top !== null && (one.contains(top) || top.contains(one) || top.closest("label"));
  });
  if (!free) return `${name}: focused under something else`;
  return drawn ? "" : `${name}: no visible focus`;
}"""
_MOST_TABS = 120


def faults(visitor: Visitor, review: str) -> tuple[list[str], int]:
    """Return what is wrong, and how many looks were taken."""
    page, found, n = visitor.page, [], 0
    for view in ("/", "/me", *(f"/r/{review}/{view}" for view in VIEWS)):
        visitor.go(view)
        expect(page.locator("h1").first).to_be_attached()
        expect(page.locator(".loading")).to_have_count(0)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for name, look in _LOOKS.items():
            found += [f"{view}, {name}: {fault}" for fault in look(page)]
            n += 1
    return found, n


def _zoomed(page: Page) -> list[str]:
    """As a window of 1280 × 800 pixels shows it at 200 %."""
    page.set_viewport_size({"width": 640, "height": 400})
    wide = page.evaluate("document.documentElement.scrollWidth")
    found = [] if wide <= 640 else [f"{wide} pixels wide at 640"]
    found += page.evaluate(RUN_AXE)
    page.evaluate("document.activeElement?.blur()")
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        fault = page.evaluate(_FOCUS)
        if fault is None:
            break
        if fault:
            found.append(fault)
    page.set_viewport_size({"width": 1280, "height": 800})
    return found


def _still(page: Page) -> list[str]:
    page.emulate_media(reduced_motion="reduce")
    return list(page.evaluate(_MOVING))


def _forced(page: Page) -> list[str]:
    page.emulate_media(forced_colors="active")
    found = [*page.evaluate(_UNMARKED), *page.evaluate(_UNFRAMED), *page.evaluate(RUN_AXE)]
    page.emulate_media(forced_colors="none")
    return found


_LOOKS: dict[str, Callable[[Page], list[str]]] = {
    "200 %": _zoomed,
    "reduced motion": _still,
    "forced colours": _forced,
}
