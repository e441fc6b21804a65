"""Puts the built page into a wheel. It is built where that has not been done."""

import importlib.util
import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface):  # type: ignore[type-arg]  # the plugin has no settings
    """Does nothing for an editable installation: there `make page` does it."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        if self._page().exists() or shutil.which("node"):
            return []
        return [str(self._tool().NODE_WHEEL)]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable" or self._page().exists():
            return
        self._tool().build()

    def _page(self) -> Path:
        return Path(self.root) / "services" / "api" / "tandem_api" / "web" / "index.html"

    def _tool(self) -> Any:
        path = Path(self.root) / "tools" / "build_page.py"
        spec = importlib.util.spec_from_file_location("build_page", path)
        if spec is None or spec.loader is None:
            raise FileNotFoundError(path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
