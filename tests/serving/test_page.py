"""The page in a real browser: what a person sees, hears from a screen reader, types and shares."""

import itertools
import os
from pathlib import Path
from urllib.parse import quote

import pytest

from isogloss.search import Searcher
from tests.serving.browser import browser, chromium
from tests.serving.making import PASSAGES, WordsEncoder, client, running

pytestmark = pytest.mark.skipif(chromium() is None, reason="needs Chromium")
FOUND = "document.querySelectorAll('.answer').length > 0 && !document.querySelector('[aria-busy]')"
READY = "document.querySelectorAll('#languages input').length > 0"
RIGHT_TO_LEFT = "getComputedStyle(document.querySelector('.text')).direction"


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("chromium")) as chrome:
        yield chrome


@pytest.fixture
def page(chrome, server):
    chrome.look()
    chrome.open(f"{server.url}/")
    chrome.wait(READY)
    yield chrome
    assert chrome.console == []
    assert all(url.startswith((server.url, "about:")) for url in chrome.requests)


def picture(page, name):
    """Keep a picture where ISOGLOSS_PICTURES says, to be looked at."""
    if folder := os.environ.get("ISOGLOSS_PICTURES"):
        page.picture(Path(folder) / f"{name}.png")


def open_at(page, server, address):
    page.open(f"{server.url}/{address}")
    page.wait(READY)


def test_the_page_and_its_files_are_there(http):
    for path, kind in (
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/icon.svg", "image/svg+xml"),
    ):
        answer = http.get(path)
        assert answer.headers["content-type"].startswith(kind)
        assert "style=" not in answer.text
        assert "innerHTML" not in answer.text
        assert "http" not in answer.text.replace("http://www.w3.org/2000/svg", "")


def test_a_question_is_typed_and_answered(page, server):
    page.run("document.querySelector('#question').focus()")
    page.type("fire is hot")
    page.press("Enter")
    page.wait(FOUND)
    assert page.texts(".answer .text")[0] == "fire is hot"
    assert page.text("#status").startswith("10 answers in 4 languages")
    shares = page.texts("#legend li")
    assert len(shares) == 4
    assert sum(int(share.split()[-2]) for share in shares) in range(98, 103)
    assert page.run("document.querySelectorAll('#bar span').length") == 4
    assert page.run("document.activeElement.id") == "question", "one can go on typing"
    assert page.run("location.hash") == "#q=fire+is+hot"
    assert page.run("document.title").startswith("fire is hot")
    picture(page, "answers")


def test_an_address_can_be_shared_and_one_can_go_back(page, server):
    open_at(page, server, f"#q={quote('Gold ist schwer')}&lang=de,zh&balance=quota&top=5&view=grouped")
    page.wait(FOUND)
    assert page.run("document.querySelector('#question').value") == "Gold ist schwer"
    assert page.texts("#list h3") == ["German (3)", "Chinese (2)"]
    assert page.text("#options-set") == ": German, Chinese; equal places for each language"
    page.run("location.hash = '#q=water'")
    page.wait("document.querySelector('#question').value === 'water' && " + FOUND)
    assert page.run("document.querySelectorAll('#languages input:checked').length") == 0
    page.run("history.back()")
    page.wait("document.querySelector('#question').value === 'Gold ist schwer' && " + FOUND)


def test_answers_are_grouped_without_asking_again(page, server):
    open_at(page, server, "#q=water")
    page.wait(FOUND)
    asked = len(page.requests)
    page.run("document.querySelector('[value=grouped]').click()")
    assert len(page.texts("#list h3")) >= 3
    assert len(page.requests) == asked
    assert page.run("location.hash") == "#q=water&view=grouped"
    page.run("document.querySelector('[value=mixed]').click()")
    assert page.run("document.querySelectorAll('#list > ol').length") == 1


def test_languages_are_chosen(page, server):
    open_at(page, server, "#q=water")
    page.wait(FOUND)
    page.run("document.querySelector('#options').open = true")
    page.run("document.querySelector('#languages [value=zh]').click()")
    page.wait("[...document.querySelectorAll('.answer')].length === 2 && " + FOUND)
    assert {text.split()[-1] for text in page.texts(".answer .line")} == {"Chinese"}
    assert page.run("document.querySelector('.text').lang") == "zh"
    picture(page, "languages")


def test_words_are_looked_for_where_one_wants_it(page, server):
    open_at(page, server, "#q=water&words=yes")
    page.wait(FOUND)
    assert page.text("#options-set") == ": words too"
    assert "words (BM25)" in page.run("document.querySelector('.answer dl').textContent")
    page.run("document.querySelector('#options').open = true")
    page.run("document.querySelector('#words').click()")
    page.wait("location.hash === '#q=water' && " + FOUND)
    page.wait("!document.querySelector('.answer dl').textContent.includes('BM25')")


def test_right_to_left_is_right(page, server):
    open_at(page, server, f"#q={quote('الشمس نجم كبير')}&lang=ar")
    page.wait(FOUND)
    assert page.run(RIGHT_TO_LEFT) == "rtl"
    assert page.run("getComputedStyle(document.querySelector('#question')).direction") == "rtl"
    picture(page, "right-to-left")
    open_at(page, server, "#q=water&lang=en")
    page.wait(FOUND)
    assert page.run(RIGHT_TO_LEFT) == "ltr"


def test_markup_in_passages_is_shown_and_never_run(page, server):
    open_at(page, server, "#q=gold+is+heavy&lang=en")
    page.wait(FOUND)
    text = next(text for text in page.texts(".answer .text") if "script" in text)
    assert text == next(one.text for one in PASSAGES if one.id == "en-3")
    assert "<i>Water</i> & fire" in page.texts(".answer h3")
    assert page.run("document.querySelectorAll('#list script, #list img, #list b, #list i').length") == 0
    assert "stolen" not in page.run("document.title").split(" – ")[0]
    # Even markup that got in could not run: the policy forbids it.
    page.run("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.stolen = 1\">')")
    page.wait("true")
    assert page.run("window.stolen === undefined")
    page.console.clear()


def test_markup_in_the_address_is_a_question(page, server):
    open_at(page, server, f"#q={quote('<img src=x onerror=window.stolen=1>')}&balance=x&top=y&view=z")
    page.wait(FOUND)
    assert (
        page.run("document.querySelector('#balance').value + document.querySelector('#top').value")
        == "none10"
    )
    open_at(page, server, f"#q=water&lang={quote('<b>x</b>')}")
    page.wait("document.querySelector('#problem').innerText.includes('<b>x</b>')")
    assert page.run("window.stolen === undefined")
    page.console.clear()  # the browser's own note of the status


def test_nothing_found(page, server):
    page.run(
        "window.fetch = async () => new Response(JSON.stringify({hits: [], languages: {}, seconds: 0.01}),"
        " {headers: {'Content-Type': 'application/json'}})"
    )
    page.run(
        "document.querySelector('#question').value = 'x'; document.querySelector('#search-form').requestSubmit()"
    )
    page.wait("document.querySelector('#status').innerText.startsWith('Nothing found')")
    assert page.run("document.querySelector('#answers').hidden && document.querySelector('#shares').hidden")
    picture(page, "nothing")


def test_an_error_is_said_and_one_goes_on(page, server):
    open_at(page, server, "#q=water")
    page.run(
        "document.querySelector('#question').value = 'a\\u0001'; document.querySelector('#search-form').requestSubmit()"
    )
    page.wait("!document.querySelector('#problem').hidden")
    assert "U+0001" in page.text("#problem")
    assert page.run("document.querySelector('#answers').hidden")
    picture(page, "error")
    page.console.clear()  # the browser's own note of the status
    page.run(
        "document.querySelector('#question').value = 'water'; document.querySelector('#search-form').requestSubmit()"
    )
    page.wait(FOUND)
    assert page.run("document.querySelector('#problem').hidden")


def test_a_server_that_is_gone_is_said(page, server):
    page.run("window.fetch = async () => { throw new TypeError('gone') }")
    page.run(
        "document.querySelector('#question').value = 'x'; document.querySelector('#search-form').requestSubmit()"
    )
    page.wait("document.querySelector('#problem').innerText.includes('does not answer')")


def test_a_key_is_asked_for_and_kept_in_the_tab(chrome, index):
    with (
        Searcher(index, WordsEncoder()) as searcher,
        running(searcher, api_key="right-key-right-key") as server,
    ):
        chrome.look()
        chrome.open(f"{server.url}/#q=water")
        chrome.wait("!document.querySelector('#key-form').hidden")
        assert chrome.run("document.activeElement.id") == "key"
        picture(chrome, "key")
        chrome.type("wrong-key")
        chrome.press("Enter")
        chrome.wait("document.querySelector('#problem').innerText === 'The key is wrong.'")
        chrome.type("right-key-right-key")
        chrome.press("Enter")
        chrome.wait(FOUND)
        assert chrome.run("document.querySelector('#key-form').hidden")
        assert chrome.run("localStorage.length + document.cookie.length") == 0
        chrome.call("Page.reload")
        chrome.wait(READY + " && " + FOUND)
        chrome.console.clear()


def test_it_is_used_by_keyboard_alone(page, server):
    open_at(page, server, "")
    order = []
    for _ in range(5):
        page.press("Tab")
        order.append(
            page.run(
                "document.activeElement.id || document.activeElement.className || document.activeElement.tagName"
            )
        )
    assert order == ["skip", "question", "BUTTON", "SUMMARY", "INPUT"]
    outline = page.run("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    open_at(page, server, "#q=water")
    page.wait(FOUND)
    page.press("Tab")
    page.press("Enter")
    assert page.run("document.activeElement.id") == "answers"
    assert page.run("location.hash") == "#q=water"


def test_everything_has_a_name_for_a_screen_reader(page, server):
    open_at(page, server, "#q=water&view=grouped")
    page.wait(FOUND)
    page.run("for (const one of document.querySelectorAll('details')) one.open = true")
    tree = page.call("Accessibility.getFullAXTree")["nodes"]
    found = {}
    for node in tree:
        if node.get("ignored"):
            continue
        found.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value", ""))
    for role in ("searchbox", "button", "checkbox", "radio", "combobox", "region", "link"):
        assert found[role], role
        assert all(found[role]), f"{role}: {found[role]}"
    assert found["searchbox"] == ["Your question"]
    assert {"status", "search", "main", "heading", "list", "listitem", "group"} <= set(found)
    levels = page.run(
        "[...document.querySelectorAll('h1,h2,h3,h4')].filter((one) => one.checkVisibility())"
        ".map((one) => +one.tagName[1])"
    )
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert page.run("document.documentElement.lang") == "en"


@pytest.mark.parametrize("dark", [False, True])
def test_narrow_and_wide_light_and_dark(page, server, dark):
    for width in (360, 1000):
        page.look(width, 800, dark)
        open_at(page, server, "#q=gold+is+heavy&view=grouped")
        page.wait(FOUND)
        page.run("for (const one of document.querySelectorAll('details')) one.open = true")
        assert page.run("document.documentElement.scrollWidth") <= width
        assert contrast(page) >= 4.5
        picture(page, f"{width}-{'dark' if dark else 'light'}")


def contrast(page):
    """The lowest contrast of text on its ground, after WCAG."""
    colours = page.run(
        """[...document.querySelectorAll('body *')]
        .filter((one) => one.checkVisibility() && one.innerText && !one.children.length)
        .map((one) => {
          let ground = one;
          while (getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)') ground = ground.parentElement;
          return [getComputedStyle(one).color, getComputedStyle(ground).backgroundColor];
        })"""
    )

    def luminance(colour):
        parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def ratio(one, other):
        high, low = sorted((luminance(one), luminance(other)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    return min(ratio(*pair) for pair in colours)


def test_the_page_is_read_without_a_key_and_holds_none(index):
    with (
        Searcher(index, WordsEncoder()) as searcher,
        running(searcher, api_key="k" * 20) as server,
        client(server) as http,
    ):
        assert "k" * 20 not in http.get("/").text + http.get("/page.js").text
