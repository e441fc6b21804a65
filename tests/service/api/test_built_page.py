"""The built page, as the API serves it: at any address, under a path prefix, kept by caches."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from application import application
from tandem.config import Settings

INDEX = """<!doctype html><html><head><meta name="tandem-path" content="/" />
<script type="module" src="./assets/index-1a2b.js"></script>
<link rel="stylesheet" href="./assets/index-1a2b.css"></head></html>"""
BROWSER = {"Accept": "text/html,*/*"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "page"
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text(INDEX)
    (built / "assets" / "index-1a2b.js").write_text("export {}")
    (built / "assets" / "index-1a2b.css").write_text("p {}")
    (tmp_path / "secret.js").write_text("secret")
    return built


def opened(settings: Settings, folder: Path, **said: Any) -> TestClient:
    return TestClient(application(settings.model_copy(update={"page_folder": folder, **said})))


@pytest.mark.parametrize("path", ["/", "/r/1/screen", "/me", "/nothing/here"])
def test_every_address_of_the_page_is_the_page(settings: Settings, folder: Path, path: str) -> None:
    with opened(settings, folder) as client:
        answer = client.get(path, headers=BROWSER)
        of_anything = client.get(path, headers={"Accept": "*/*"})

    assert of_anything.content == answer.content
    assert of_anything.status_code == answer.status_code == 200
    assert 'src="/assets/index-1a2b.js"' in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/api", "/api/v1/nothing", "/docs/nothing", "/assets/nothing.js", "/healthz/nothing"]
)
def test_other_addresses_are_not(settings: Settings, folder: Path, path: str) -> None:
    with opened(settings, folder) as client:
        for kinds in (BROWSER["Accept"], "*/*"):
            answer = client.get(path, headers={"Accept": kinds})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert client.post("/r/1/screen", headers=BROWSER).status_code in (404, 405)


@pytest.mark.parametrize("kinds", ["application/json", "image/svg+xml,*/*;q=0.8"])
def test_who_asks_for_something_else_gets_no_page(
    settings: Settings, folder: Path, kinds: str
) -> None:
    with opened(settings, folder) as client:
        answer = client.get("/r/1/screen", headers={"Accept": kinds})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_under_a_prefix_it_names_everything_with_it(settings: Settings, folder: Path) -> None:
    with opened(settings, folder, public_url="https://example.org/tandem") as client:
        page = client.get("/tandem/r/1/screen", headers=BROWSER).text
        asset = client.get("/tandem/assets/index-1a2b.css")

    assert 'href="/tandem/assets/index-1a2b.css"' in page
    assert 'name="tandem-path" content="/tandem/"' in page
    assert asset.status_code == 200
    assert asset.headers["content-type"].startswith("text/css")


def test_files_are_kept_for_ever_and_nothing_else_is_read(settings: Settings, folder: Path) -> None:
    with opened(settings, folder) as client:
        assert "immutable" in client.get("/assets/index-1a2b.js").headers["cache-control"]
        for path in ("/assets/..%2f..%2fsecret.js", "/assets/%00.js"):
            assert client.get(path).status_code == 404
        # The client itself makes /secret.js of it, which is an address of the page.
        assert client.get("/assets/../../secret.js").content == client.get("/").content


def test_a_new_build_is_served_at_once(settings: Settings, folder: Path) -> None:
    with opened(settings, folder) as client:
        assert "1a2b" in client.get("/", headers=BROWSER).text
        (folder / "index.html").write_text(INDEX.replace("1a2b", "3c4d"))
        assert "3c4d" in client.get("/", headers=BROWSER).text


def test_where_it_is_not_built_the_first_address_says_how(
    settings: Settings, tmp_path: Path
) -> None:
    with opened(settings, tmp_path / "nothing") as client:
        assert "make page" in client.get("/", headers=BROWSER).text
        assert client.get("/r/1/screen", headers=BROWSER).status_code == 404
