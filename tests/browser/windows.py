"""Browser windows that tests hand on: to open a new one takes longer than to load a page in one."""

from typing import Literal, cast

from playwright.sync_api import Browser, Page

TIMEOUT_MS = 240_000
"""Of what never comes; other tests may be busy beside this one."""


class Windows:
    """The windows of one browser, each with cookies and storage of its own.

    Who gets one finds nothing of who had it before.
    """

    def __init__(self, browser: Browser, *, hands_on: bool = True) -> None:
        """Take a browser; where it does not hand on, each window is new."""
        self._browser, self._hands_on = browser, hands_on
        self._free: dict[bool, list[Page]] = {True: [], False: []}
        self._to_close = set[Page]()

    def open(
        self, *, width: int, theme: str = "light", is_new: bool = False, worker: bool = False
    ) -> Page:
        """Return an empty page in a window that nobody else has, a phone's where it is narrow.

        With `is_new` nobody gets it afterwards: for who changes what cannot be changed back. So it
        is with `worker`, where the page may have a service worker.
        """
        is_phone, is_new = width < 600, is_new or worker or not self._hands_on
        free = self._free[is_phone]
        if is_new or not free:
            context = self._browser.new_context(
                has_touch=is_phone, service_workers="allow" if worker else "block"
            )
            context.set_default_timeout(TIMEOUT_MS)
            page = context.new_page()
        else:
            page = free.pop()
        if is_new:
            self._to_close.add(page)
        page.set_viewport_size({"width": width, "height": 740 if is_phone else 800})
        scheme = cast(Literal["light", "dark"], theme)
        page.emulate_media(
            media="null", color_scheme=scheme, reduced_motion="reduce", forced_colors="null"
        )
        return page

    def take_back(self, page: Page, base: str) -> None:
        """End the use of a page that was open for the server at `base`."""
        context = page.context
        if page in self._to_close or page.is_closed():
            context.close()
            return
        for other in context.pages:
            if other != page:
                other.close()
        context.set_offline(False)
        context.clear_cookies()
        page.goto("about:blank")
        page.mouse.move(0, 0)
        browser = context.new_cdp_session(page)
        browser.send("Storage.clearDataForOrigin", {"origin": base, "storageTypes": "all"})
        browser.detach()
        is_phone: bool = page.evaluate("navigator.maxTouchPoints > 0")
        self._free[is_phone].append(page)
