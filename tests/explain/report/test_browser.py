"""The report in a real browser, without a window."""

import pytest
from playwright.sync_api import sync_playwright

from tests.explain.report.making import SCRIPT

# Widths of a phone and of a desktop, pixels.
WIDTHS = (390, 1280)
UNSEEN = """
elements => elements
    .filter(x => { const box = x.getBoundingClientRect(); return !(box.width && box.height); })
    .map(x => x.outerHTML.slice(0, 200))
"""


@pytest.fixture(scope="module", params=[True, False], ids=["scripts", "no-scripts"])
def opened(request, chrome, report):
    """The report in the browser, and what it said and asked for, with JavaScript on and off."""
    said, asked = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chrome, args=["--no-sandbox"])
        page = browser.new_context(java_script_enabled=request.param).new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda one: asked.append(one.url))
        page.goto(report.as_uri(), wait_until="networkidle")
        yield page, said, asked
        browser.close()


def test_it_complains_of_nothing_and_fetches_nothing(opened, report):
    page, said, asked = opened
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert page.title().startswith(f"Face verification on {SCRIPT}")


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_the_screen_and_every_picture_is_seen(opened, width):
    page, *_ = opened
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    # Nothing sticks out but what is in a box of its own that scrolls.
    wide = page.eval_on_selector_all(
        "body *:not(.scroll *)",
        "(all, width) => all.filter(x => x.getBoundingClientRect().right > width + 0.5)"
        ".map(x => x.outerHTML.slice(0, 200))",
        width,
    )
    assert wide == []
    assert page.locator("img").count() > 10 and page.locator("svg").count() > 10
    assert page.eval_on_selector_all("img, svg, rect", UNSEEN) == []
    assert page.eval_on_selector_all("img", "all => all.filter(x => !x.naturalWidth).length") == 0


def test_its_sections_and_names_can_be_read(opened):
    page, *_ = opened
    headings = page.locator("h2").all_inner_texts()
    assert headings == [
        "What was measured",
        "Metrics",
        "ROC and DET",
        "Scores",
        "Accuracy under occlusion",
        "The surest decisions, explained",
        "Left out",
    ]
    assert page.locator("h1").inner_text() == f"Face verification on {SCRIPT}"
    for name in (f"{SCRIPT}/photo_of_a_person_", f"{SCRIPT}/a_preset_in_a_folder"):
        assert page.get_by_text(name).first.is_visible()


def test_what_was_left_out_unfolds(opened):
    page, *_ = opened
    last = page.get_by_text(f"{SCRIPT} 29.jpg")
    assert not last.is_visible()
    page.locator("summary").click()
    assert last.is_visible()
    page.locator("summary").click()


def test_print_shows_what_is_folded(opened):
    page, *_ = opened
    page.emulate_media(media="print")
    assert page.get_by_text(f"{SCRIPT} 29.jpg").is_visible()
    assert not page.locator("nav").is_visible()
    page.emulate_media(media="screen")
