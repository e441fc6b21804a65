"""Tandem behind real proxies with TLS, by the configurations that deploy/ gives."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from service.installation.stand_ins import free_port
from tandem.accounts import service as accounts
from tandem.config import Settings
from tandem.db.session import Database
from tandem.installation.up import environment, local_url

DEPLOY = Path(__file__).parents[2] / "deploy"
CERTIFICATE = Path(__file__).parent / "domain" / "certificates" / "hooks.example.org.pem"
UPLOAD_BYTES = 100 << 20
EMAIL = "ann@example.org"
PASSWORD = "a long pass phrase of six words"
NEVER = 120.0
"""Seconds. What a proxy holds back does not come at all; what it passes on comes at once."""


@dataclass(frozen=True)
class Site:
    """Tandem behind a proxy: its public address, and a browser that trusts the certificate."""

    url: str
    browser: httpx.Client

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"


def given(text: str, changes: dict[str, str]) -> str:
    """Return a configuration with this machine's ports and files in place of the real ones."""
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


def nginx(folder: Path, api: int, port: int) -> list[str]:
    certificate = {
        "/etc/ssl/tandem/fullchain.pem": str(CERTIFICATE),
        "/etc/ssl/tandem/privkey.pem": str(CERTIFICATE),
    }
    ports = {"127.0.0.1:8000": f"127.0.0.1:{api}", "listen 80;": f"listen 127.0.0.1:{free_port()};"}
    listen = {"listen 443 ssl": f"listen 127.0.0.1:{port} ssl"}
    whole = (DEPLOY / "nginx" / "tandem.conf").read_text("utf-8")
    return _nginx(folder, given(whole, certificate | ports | listen))


def nginx_under_a_path(folder: Path, api: int, port: int) -> list[str]:
    part = (DEPLOY / "nginx" / "tandem-under-a-path.conf").read_text("utf-8")
    locations = given(part, {"127.0.0.1:8000": f"127.0.0.1:{api}"})
    tls = f"ssl_certificate {CERTIFICATE}; ssl_certificate_key {CERTIFICATE};"
    return _nginx(folder, f"server {{ listen 127.0.0.1:{port} ssl; {tls}\n{locations}}}")


def _nginx(folder: Path, site: str) -> list[str]:
    (folder / "site.conf").write_text(site, encoding="utf-8")
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Started by root its workers would be somebody who may not enter a test's folder.
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; {user} events {{}}\n"
        f"http {{ access_log off; {temporary} include {folder}/site.conf; }}\n",
        encoding="utf-8",
    )
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, api: int, port: int) -> list[str]:
    return _caddy(folder, "Caddyfile", "screening.example.org {", api, port)


def caddy_under_a_path(folder: Path, api: int, port: int) -> list[str]:
    return _caddy(folder, "Caddyfile-under-a-path", "www.example.org {", api, port)


def _caddy(folder: Path, name: str, site: str, api: int, port: int) -> list[str]:
    here = f"https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {CERTIFICATE} {CERTIFICATE}"
    text = (DEPLOY / "caddy" / name).read_text("utf-8")
    text = given(text, {f"\n{site}": f"\n{here}", "127.0.0.1:8000": f"127.0.0.1:{api}"})
    alone = f"{{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system {folder}\n}}\n"
    (folder / "Caddyfile").write_text(alone + text, encoding="utf-8")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PROXIES: dict[str, tuple[Callable[[Path, int, int], list[str]], str]] = {
    "nginx": (nginx, ""),
    "nginx under a path": (nginx_under_a_path, "/tandem"),
    "caddy": (caddy, ""),
    "caddy under a path": (caddy_under_a_path, "/tandem"),
}


@contextmanager
def started(command: list[str], url: str, log: Path, env: dict[str, str]) -> Iterator[None]:
    """Run a server until the block ends; enter it when the server answers."""
    with log.open("wb") as said:
        process = subprocess.Popen(command, env=env, stdout=said, stderr=said)
    try:
        while True:
            assert process.poll() is None, log.read_text(errors="replace")
            with suppress(httpx.TransportError):
                httpx.get(url, verify=False)  # a certificate of another name
                break
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(NEVER)


@pytest.fixture(params=PROXIES)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    configure, path = PROXIES[request.param]
    program = request.param.split()[0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on PATH (Debian: apt-get install {program})")
    template: Path = request.getfixturevalue("migrated_sqlite")
    port = free_port()
    settings = Settings(
        data_dir=tmp_path / "data", port=free_port(), public_url=f"https://localhost:{port}{path}"
    )
    settings.data_dir.mkdir()
    shutil.copy(template, settings.data_dir / "tandem.sqlite3")
    api = [sys.executable, "-P", "-m", "tandem_api"]
    env = environment(settings)
    add_account(settings)
    proxy = configure(tmp_path, settings.port, port)
    at_home = {**os.environ, "HOME": str(tmp_path)}
    with (
        started(api, f"{local_url(settings)}/healthz", tmp_path / "api.log", env),
        started(proxy, f"https://localhost:{port}/", tmp_path / "proxy.log", at_home),
        httpx.Client(verify=False, timeout=NEVER) as browser,
    ):
        yield Site(f"https://localhost:{port}{path}", browser)


def add_account(settings: Settings) -> None:
    with (
        closing(Database(settings.resolved_database_url())) as database,
        database.write.begin() as session,
    ):
        accounts.add_user(session, email=EMAIL, name="Ann", password=PASSWORD, is_admin=False)


@pytest.mark.processes
def test_people_screen_through_a_proxy(site: Site) -> None:
    """One test: each start of the processes takes a second or two."""
    browser = site.browser
    signed_in = browser.post(f"{site.api}/auth/login", json={"email": EMAIL, "password": PASSWORD})
    assert signed_in.status_code == 204, signed_in.text
    assert {"Secure", "HttpOnly"} <= set(re.split("; ?", signed_in.headers["set-cookie"]))
    assert browser.get(f"{site.api}/me").json()["name"] == "Ann"

    own = {"Origin": f"https://{httpx.URL(site.url).netloc.decode()}"}
    foreign = {"Origin": "https://elsewhere.example.org"}
    body = {"title": "A review"}
    assert browser.post(f"{site.api}/reviews", json=body, headers=foreign).status_code == 403
    made = browser.post(f"{site.api}/reviews", json=body, headers=own)
    assert made.status_code == 201, made.text
    review = f"{site.api}/reviews/{made.json()['id']}"

    invited = browser.post(f"{review}/invitations", json={"role": "reviewer"}, headers=own).json()
    assert (invited.get("link") or invited["url"]).startswith(f"{site.url}/")

    stream = {"Accept": "text/event-stream"}
    with browser.stream("GET", f"{review}/events?after=1", headers=stream) as events:
        changed = browser.patch(review, json={"title": "Another title"}, headers=own)
        assert changed.status_code == 200, changed.text
        assert any("tandem.review.changed" in line for line in events.iter_lines())

    file = {"file": ("large.ris", b"TY  - JOUR\n".ljust(UPLOAD_BYTES, b" "))}
    uploaded = browser.post(f"{review}/imports", files=file, headers=own)
    assert uploaded.status_code == 202, uploaded.text

    assert browser.get(f"{site.api}/openapi.json").status_code == 200
