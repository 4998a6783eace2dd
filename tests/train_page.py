"""The Train page, in words: what tests in a real browser do there and wait for."""

from __future__ import annotations

from browser import IDLE
from playwright.sync_api import Page, expect

from metademo.recipes import RECIPES

STEPS = RECIPES["fast"].settings["steps"]
STAGE = '[data-metademo="train_stage"]'

MOVE = """([selector, at]) => {
  const range = document.querySelector(selector).querySelector("input[type=range]");
  range.value = at;
  range.dispatchEvent(new Event("input", { bubbles: true }));
}"""


CAPTIONS = """(selector) => {
  const host = document.querySelector(selector);
  const range = host.querySelector("input[type=range]");
  const place = range.value;
  const go = (at) => {
    range.value = at;
    range.dispatchEvent(new Event("input", { bubbles: true }));
    return host.querySelector(".md-now").textContent;
  };
  const said = Array.from({ length: Number(range.max) + 1 }, (_, at) => go(at));
  go(place);
  return said;
}"""


class TrainPage:
    """The Train page, in words."""

    def __init__(self, page: Page):
        self.page = page
        self.intention = page.locator(".st-key-train-intention")
        self.kept: list[int] = []
        """How many snapshots each whole run kept that is on the stage, the oldest first."""

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.ready()

    def as_in_the_beginning(self) -> None:
        """No run, and the settings of a first visit, as far as tests leave others behind."""
        if self.button("Stop").is_enabled():
            self.button("Stop").click()
            self.wait_end()
        while run := self.page.get_attribute(STAGE, "data-run"):
            self.button("Remove").click()
            self.wait("return d.run !== a", run)
            self.page.wait_for_selector(IDLE)  # the button is drawn after the stage
        self.kept.clear()
        self.at_ease()
        self.ready()

    def at_ease(self) -> None:
        """As large and as fast as in the beginning, whatever is on the stage."""
        self.page.set_viewport_size({"width": 1280, "height": 900})
        pace = self.page.get_by_role("slider", name="Pace")
        if pace.input_value() != "0":
            slow = self.intention.inner_text()
            pace.press("Home")
            expect(self.intention).not_to_have_text(slow)
        for pressed in self.page.locator(f"{STAGE} button[aria-pressed=true]").all():
            pressed.click()
        self.page.wait_for_selector(IDLE)

    def ready(self) -> None:
        self.page.wait_for_selector(f"{STAGE}[data-ready=true]")
        self.page.evaluate("document.querySelector('[data-metademo=train_stage]').kept = true")

    @property
    def never_remounted(self) -> bool:
        return self.page.evaluate(f"document.querySelector('{STAGE}').kept === true")

    def button(self, name: str):
        return self.page.get_by_role("button", name=name, exact=True)

    def start(self) -> None:
        """Start a run, and wait until it is on the stage."""
        before = self.page.locator(STAGE).get_attribute("data-run") or ""
        self.page.locator("button:has-text('Start'):enabled").click()
        self.wait("return d.run !== a", before)

    def wait(self, condition: str, argument: object = None) -> None:
        """Until the condition holds of the stage's data `d`."""
        script = f"(a) => {{ const d = document.querySelector('{STAGE}').dataset; {condition} }}"
        self.page.wait_for_function(script, arg=argument)

    def wait_steps(self, least: int) -> None:
        self.wait("return Number(d.newest) >= a", least)

    def wait_end(self) -> None:
        self.page.wait_for_selector("button:has-text('Start'):enabled")

    def train(self) -> None:
        """A whole run; at its end all that it kept is here."""
        self.start()
        self.wait_end()
        self.wait_steps(STEPS)
        said = self.captions()
        assert len(said) > 40
        assert said[0].startswith("Before meta-training")
        assert f"{STEPS:,} outer steps" in said[-1]
        assert len(set(said)) == len(said), "each has a caption of its own"
        self.kept.append(len(said))

    def wait_answers(self, count: int) -> None:
        """Until the server has been asked, and has answered, so many times more."""
        self.wait("return Number(d.drawn) >= a", self.data("drawn") + count)

    def slow_down(self) -> None:
        """The slowest motion, with the keyboard."""
        before = self.intention.inner_text()
        self.page.get_by_role("slider", name="Pace").focus()
        self.page.keyboard.press("End")
        self.page.wait_for_selector("text=3 a second")
        expect(self.intention).not_to_have_text(before)
        self.page.wait_for_selector(IDLE)

    def data(self, name: str) -> int:
        return int(self.page.locator(STAGE).get_attribute(f"data-{name}"))

    def move(self, at: int) -> None:
        self.page.evaluate(MOVE, [STAGE, at])

    def captions(self) -> list[str]:
        """What is said at each place of the slider."""
        return self.page.evaluate(CAPTIONS, STAGE)

    def press(self, name: str, seconds: float) -> None:
        """Press a button as a hand does: down, a while, up."""
        box = self.button(name).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.click(x, y, delay=1000 * seconds)

    @property
    def focus(self) -> str:
        return self.page.evaluate("document.activeElement.innerText")

    def wait_focus(self, name: str) -> None:
        self.page.wait_for_function("(a) => document.activeElement.innerText.endsWith(a)", arg=name)

    def set_number(self, name: str, value: float) -> None:
        """One of the settings of one's own."""
        box = self.page.get_by_role("spinbutton", name=name, exact=True)
        if not box.is_visible():
            self.page.get_by_text("Your own settings").first.click()
        box.fill(str(value))
        box.press("Enter")
        expect(self.intention).to_contain_text(f" {value}")

    @property
    def caption(self) -> str:
        return self.page.locator(f"{STAGE} .md-now").inner_text()

    def curves(self) -> list[str]:
        paths = self.page.locator(f"{STAGE} .md-plot path.js-line").all()
        return [path.get_attribute("d") for path in paths]
