"""The page in a real browser: choose, point, slide, find, and be told what is wrong."""

import pytest
from playwright.sync_api import expect


@pytest.fixture(params=[1200, 360])
def page(browser, service, request):
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    opened, errors, asked = context.new_page(), [], []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda sent: asked.append(sent.url))
    opened.goto(service)
    opened.wait_for_selector("body[data-ready]")
    yield opened
    assert not errors
    elsewhere = [x for x in asked if not x.startswith((service, "blob:", "data:"))]
    assert not elsewhere, "the page fetches from elsewhere"
    width = opened.evaluate("document.documentElement.scrollWidth")
    assert width <= request.param, "the page is wider than the window"
    context.close()


def choose(page, photos, **names):
    for name, photo in names.items():
        page.locator(f"[data-photo={name}] input").set_input_files(photos / photo)


def test_two_photos_give_an_explained_verdict(page, photos):
    choose(page, photos, a="obama.jpg", b="obama2.jpg")
    expect(page.locator("#verdict")).to_have_text("Same person: 0.775 ≥ 0.511", timeout=20_000)
    assert page.locator(".face button").count() == 98
    page.locator('[data-face="0"] [data-cell="3,2"]').hover()
    expect(page.locator("#cell")).to_contain_text("left eye: similarity 0.")
    expect(page.locator("#cell")).to_contain_text("covered, the score drops by 0.0")
    assert page.locator(".twin").count() == 2
    before = page.locator('[data-face="1"] [data-cell="4,3"]').get_attribute("style")
    page.get_by_label("what covering it would do").check()
    assert page.locator('[data-face="1"] [data-cell="4,3"]').get_attribute("style") != before
    cell = page.locator('[data-face="1"] [data-cell="3,2"]')
    cell.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#cell")).to_contain_text("nose bridge")
    assert "nose bridge: similarity" in page.locator(":focus").get_attribute("aria-label")


def test_sliders_change_the_verdict_at_once(page, photos):
    page.get_by_role("button", name="two people").click()
    expect(page.locator("#verdict")).to_contain_text("Different people: −0.140", timeout=20_000)
    before = page.locator("#verdict").inner_text()
    page.locator("#attention").select_option("patched")
    expect(page.locator("#verdict")).not_to_have_text(before)
    page.locator("#fmr").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#fmr-value")).to_have_text("0.01 %")
    expect(page.locator("#verdict")).to_contain_text("< 0.572")
    expect(page.get_by_label("what covering it would do")).to_be_hidden()
    page.get_by_label("how alike (S)").check()


def test_what_is_wrong_is_said(page, photos, tmp_path):
    (tmp_path / "words.jpg").write_text("no photo")
    choose(page, photos, a="obama.jpg")
    page.locator("[data-photo=b] input").set_input_files(tmp_path / "words.jpg")
    expect(page.locator("#message.error")).to_contain_text("the second photo is not an image")
    assert page.locator("#result").is_hidden()


def test_the_page_that_computes_itself_says_what_is_missing(page, service):
    page.goto(service + "/?on-device")
    expect(page.locator("#message.error")).to_contain_text("run `npm install @litertjs/core@")
    page.get_by_role("button", name="two people").click()
    expect(page.locator("#message.error")).to_contain_text("LiteRT.js is not in")


def test_a_person_is_found(page, photos):
    page.get_by_role("tab", name="Find").click()
    choose(page, photos, probe="obama2.jpg")
    expect(page.locator("#hits li").first).to_contain_text("obama: 0.775 ≥ 0.557", timeout=20_000)


def test_the_camera_takes_the_second_photo(page, photos):
    choose(page, photos, a="obama.jpg")
    page.locator("#camera").click()
    page.locator("#shot button").click()
    # The browser's fake camera shows a disc, in which there is no face.
    expect(page.locator("#message.error")).to_contain_text("no face was found", timeout=20_000)
