"""The views of a review, and how axe is asked about what is shown."""

from pathlib import Path

AXE = Path(__file__).parents[2] / "services" / "web" / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """async () => {
  const found = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return found.violations.map((one) => `${one.id}: ${one.nodes.map((n) => n.target).join(" | ")}`);
}"""
VIEWS = (
    "screen",
    "mine",
    "mine/again",
    "conflicts",
    "progress",
    "stopping",
    "records",
    "records/1",
    "records/second-looks",
    "reports",
    "reports/screen",
    "reports/studies",
    "flow",
    "handover",
    "handover/synthesis",
    "duplicates",
    "import",
    "team",
    "settings",
    "export",
)
