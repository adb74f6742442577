"""Pages in headless Chromium, driven by Playwright. Its names are Playwright's own:

page.getByRole("tab", name="Text").click()
"""

import base64
import json
from pathlib import Path

from chromium import CHROMIUM, FLAGS
from readers.line_process import LineProcess

HERE = Path(__file__).parent
# What only says where something is; everything else is done at once.
PLACES = {"locator", "getByRole", "getByLabel", "getByText", "frameLocator", "filter", "first", "last", "nth"}
PROPERTIES = {"keyboard", "mouse"}


class Browser(LineProcess):
    """The browser, for any number of pages; a context manager that ends it."""

    def __init__(self) -> None:
        super().__init__("node", str(HERE / "browser.mjs"), CHROMIUM, *FLAGS)

    def open(self, **options: object) -> "Page":
        """A page of a visitor of its own."""
        return Page(self, self.ask({"open": options})["value"])


class Place:
    """Something of a page; each method of Playwright's is a method here."""

    def __init__(self, browser: Browser, page: int, steps: tuple = ()) -> None:
        self.browser = browser
        self.number = page
        self.steps = steps

    def __getattr__(self, name: str) -> object:
        if name in PROPERTIES:
            return Place(self.browser, self.number, (*self.steps, [name]))

        def call(*arguments: object, **options: object) -> object:
            step = [name, [*arguments, options] if options else [*arguments]]
            if name in PLACES:
                return Place(self.browser, self.number, (*self.steps, step))
            return self.ask(steps=[*self.steps, step])

        return call

    def ask(self, **request: object) -> object:
        return self.browser.ask({"page": self.number, **request}).get("value")

    def saves(self) -> tuple[str, bytes]:
        """The name and the content of the file that a click saves."""
        told = self.ask(saves=[*self.steps, ["click", []]])
        return told["name"], base64.b64decode(told["content"])

    def reads(self, text: str) -> None:
        """Waits until this has exactly this text, as a person sees it."""
        self.wait_until("(element, text) => element.innerText.trim() === text", text)

    def wait_until(self, function: str, argument: object = None) -> None:
        """Waits until a function of JavaScript is true of this element."""
        script = f"""async (element, argument) => {{
            const end = performance.now() + 15_000;
            while (!(({function})(element, argument))) {{
                if (performance.now() > end) {{
                    const around = document.body.innerText.slice(0, 800);
                    throw new Error(`it has ${{element.innerText}} in ${{around}}`);
                }}
                await new Promise(requestAnimationFrame);
            }}
        }}"""
        while True:
            try:
                self.ask(steps=[*self.steps, ["evaluate", [{"$function": script}, argument]]])
            except ValueError as error:
                # Another frame took the place of the one that was looked at.
                if not any(sign in str(error) for sign in ("was detached", "was destroyed")):
                    raise
            else:
                return


class Page(Place):
    """A whole page."""

    @property
    def mail(self) -> Place:
        """The HTML of the mail that is shown."""
        return self.frameLocator("#stage iframe:not(.coming)").locator(":root")

    def begun(self) -> None:
        """Waits until the preview's page has heard from the daemon. It puts its first message in place then, which may
        come between what Playwright does to replace a text: select it, insert another."""
        self.until(
            "document.querySelector('#version').textContent + document.querySelector('#banner').textContent !== ''"
            " || document.querySelector('#key-dialog').open"
        )

    def write(self, message: object) -> None:
        """Puts a message in place of the one that stands at the left."""
        text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False, indent=2)
        self.getByLabel("Message as JSON").fill(text)

    def until(self, expression: str) -> None:
        """Waits until an expression of JavaScript is true."""
        self.locator(":root").wait_until(f"() => {expression}")

    def choose(self, look: str) -> None:
        """Chooses a width or colours."""
        self.locator(".segments label").filter(hasText=look).click()

    def tab(self, name: str) -> Place:
        """Chooses a tab; what it shows."""
        self.getByRole("tab", name=name).click()
        return self.getByRole("tabpanel", name=name)

    def findings(self, within: str = "html") -> list[str]:
        """What axe-core finds, in the whole page or in what a selector chooses."""
        return self.ask(axe=within)

    def told(self) -> list[str]:
        """Errors of scripts, dialogs, windows, saved files."""
        return self.ask(told=True)

    def close(self) -> None:
        self.ask(close=True)
