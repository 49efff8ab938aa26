"""The built pages: they are all there, they lead somewhere, and they can be read on a telephone."""

from __future__ import annotations

import functools
import http.server
import itertools
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup

import build
from browser import Browser, find_browser, running_browser
from conftest import ROOT

PHONE, DESK = 375, 1280
NOISE = ("THEBE_JS_URL",)  # sphinx-thebe declares its constant twice on every page; nothing uses it


@dataclass(frozen=True)
class Site:
    """A built book, and where it is served."""

    book: build.Book
    url: str

    @property
    def pages(self) -> list[str]:
        """The page of every entry of the table of contents."""
        return [f"{name}.html" for name in build.files_of(self.book.toc)]

    def soup(self, page: str) -> BeautifulSoup:
        return _parsed(self.book.html / page)


@functools.cache
def _parsed(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(), "html.parser")


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module", params=["fast", "full"])
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """The pages of the fast tier, made here; and those of ``make book``, if they are current."""
    book = build.Book(ROOT, request.param)
    if book.tier == "fast":
        # What test_chapters.py has just executed is taken as it is.
        failed = [run.error for run in build.execute(book, book.chapters) if run.error]
        if failed:
            pytest.fail("\n".join(failed), pytrace=False)
        build.build_pages(book)
    elif not build.pages_are_current(book):
        pytest.skip("`make book` has not been run since the last change")
    handler = functools.partial(_Quiet, directory=str(book.html))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Site(book, f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_browser()
    if program is None:
        pytest.skip("there is no Chromium; .ci/run installs one")
    with running_browser(program) as browser:
        yield browser


def test_every_page_returns(site: Site) -> None:
    for page in ["index.html", "search.html", *site.pages]:
        with urllib.request.urlopen(site.url + page) as answer:
            assert answer.status == 200
            assert answer.read()


def test_every_link_within_the_book_leads_somewhere(site: Site) -> None:
    broken = []
    for page in site.pages:
        soup = site.soup(page)
        links = [tag[name] for name in ("href", "src") for tag in soup.find_all(**{name: True})]
        for link in links:
            target, fragment = urldefrag(urljoin(page, link))
            if urlsplit(target).scheme:
                continue  # somebody else's page: not ours to promise, and CI may have no network
            path = site.book.html / unquote(urlsplit(target).path)
            if not path.exists():
                broken.append(f"{page}: {link}")
            elif fragment and path.suffix == ".html":
                names = {tag.get("id") for tag in _parsed(path).find_all(id=True)}
                if unquote(fragment) not in names:
                    broken.append(f"{page}: {link}")
    assert not broken


def test_every_image_says_what_it_shows(site: Site) -> None:
    """Without a text of its own, an image is given its file's name, which tells nobody anything."""
    for page in site.pages:
        for image in site.soup(page).find_all("img"):
            alt = image.get("alt", "")
            assert alt.strip(), f"{page}: {image}"
            assert not alt.endswith((".png", ".svg")), f"{page}: {image}"


def test_a_page_needs_nothing_from_elsewhere(site: Site) -> None:
    """A book on a disk is read without a network; and no reader is counted by a third party."""
    for page in site.pages:
        soup = site.soup(page)
        fetched = [tag["src"] for tag in soup.find_all(["script", "img", "iframe"], src=True)]
        fetched += [tag["href"] for tag in soup.find_all("link", rel="stylesheet")]
        assert [link for link in fetched if urlsplit(link).scheme not in ("", "data")] == []


def test_a_page_shows_no_dead_widget(site: Site) -> None:
    for page in site.pages:
        assert not site.soup(page).select("[type*='vnd.jupyter.widget']"), page


def test_a_chapter_says_when_and_with_what_it_ran(site: Site) -> None:
    for chapter in site.book.chapters:
        (stamp,) = site.soup(f"{chapter}.html").select(".wiseft-stamp")
        assert "Executed on" in stamp.text
        assert "torch" in stamp.text


def test_a_chapter_has_badges_that_lead_where_the_launch_buttons_do(site: Site) -> None:
    for chapter in site.book.chapters:
        soup = site.soup(f"{chapter}.html")
        badges = [tag["href"] for tag in soup.select(".wiseft-badges a")]
        buttons = {tag["href"] for tag in soup.select(".dropdown-launch-buttons a")}
        assert len(badges) == 2, chapter
        assert set(badges) <= buttons, (badges, buttons)


@dataclass(frozen=True)
class View:
    """A page as it is seen at one width and in one colour scheme."""

    scroll_width: int
    theme: str
    background: str
    figures: list[list[float]]  # width, and the height over what the width asks for


Views: TypeAlias = dict[str, dict[tuple[int, str], View]]  # by page, and by width and scheme

SEEN = """({
  scroll_width: document.documentElement.scrollWidth,
  theme: document.documentElement.dataset.theme,
  background: getComputedStyle(document.body).backgroundColor,
  figures: [...document.querySelectorAll('.cell_output img')].map(image => {
    const shown = image.getBoundingClientRect();
    return [shown.width, shown.height / shown.width * image.naturalWidth / image.naturalHeight];
  }),
})"""


@pytest.fixture(scope="module")
def views(site: Site, browser: Browser, pytestconfig: pytest.Config) -> Views:
    """Every page, opened once without a complaint, and looked at in every way."""
    seen: Views = {page: {} for page in site.pages}
    for page, ways in seen.items():
        browser.look(width=PHONE)
        complaints = browser.open(site.url + page)
        assert [c for c in complaints if not any(noise in c for noise in NOISE)] == [], page
        for width, scheme in itertools.product((PHONE, DESK), ("light", "dark")):
            browser.look(width=width, scheme=scheme)
            ways[width, scheme] = View(**browser.evaluate(SEEN))
            if pytestconfig.getoption("screenshots"):
                name = f"{Path(page).stem}-{width}-{scheme}.png"
                browser.screenshot(site.book.out / "screenshots" / name)
    return seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_pages_fit_their_width(views: Views, width: int, scheme: str) -> None:
    """No page scrolls sideways, and each has the colours that were asked for."""
    for page, ways in views.items():
        view = ways[width, scheme]
        assert view.scroll_width <= width, page
        assert view.theme == scheme, page
        assert _is_dark(view.background) == (scheme == "dark"), page


def _is_dark(colour: str) -> bool:
    red, green, blue = (float(part) for part in colour[4:-1].split(",")[:3])
    return red + green + blue < 3 * 128


def test_figures_can_be_read_on_a_telephone(views: Views) -> None:
    """A figure shrinks with the screen, to no less than half: text of 10 points stays legible."""
    for page, ways in views.items():
        on_desk, on_phone = (ways[width, "light"].figures for width in (DESK, PHONE))
        for (drawn, _), (shown, squeeze) in zip(on_desk, on_phone, strict=True):
            assert drawn / 2 <= shown <= PHONE, f"{page}: {drawn:.0f} pixels shown as {shown:.0f}"
            assert abs(squeeze - 1) < 0.03, f"{page}: squeezed to {squeeze:.2f}"
