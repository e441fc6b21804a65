"""The address that people use, and the address that a request comes from.

A Host header is whatever a stranger writes. A link for another person is made of it only where it
names this server itself, or where a proxy that the installation trusts has passed it on.
"""

import ipaddress
import socket
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from tandem.config import Settings

_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORWARDED = frozenset({b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"})
_LONGEST_SOURCE = 64


class Proxies:
    """Takes the client's address, the scheme and the path as a trusted proxy passes them on.

    What an untrusted client writes into X-Forwarded-* has no effect. A path prefix of the
    public address is taken off, whether the proxy has done so already or not.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self._prefix = settings.path_prefix
        self._proxies = settings.trusted_proxies
        self._inner = app
        self._forwarded = ProxyHeadersMiddleware(
            app,  # type: ignore[arg-type]  # uvicorn has its own names for the same types
            settings.trusted_proxies,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        peer = (scope.get("client") or ("", 0))[0]
        names = {name for name, _ in scope["headers"]}
        trusted = is_trusted(peer, self._proxies) and not _FORWARDED.isdisjoint(names)
        scope.setdefault("state", {})["came_by_proxy"] = trusted
        if self._prefix and f"{scope['path']}/".startswith(f"{self._prefix}/"):
            scope["path"] = scope["path"].removeprefix(self._prefix) or "/"
            scope["raw_path"] = scope["raw_path"].removeprefix(self._prefix.encode()) or b"/"
        # Last: it replaces `client`, by which the proxy is known.
        await self._forwarded(scope, receive, send)  # type: ignore[arg-type]  # as above


def public_url(request: Request, settings: Settings) -> str:
    """Return the address that people use, without a slash at its end.

    It is the one that is configured. Else it is the one that was asked for, where that names this
    server or a trusted proxy has passed it on; else the address that this server listens on.
    """
    if settings.public_url is not None:
        return settings.public_url
    scheme = request.scope["scheme"]
    host = request.headers.get("host", "")
    if getattr(request.state, "came_by_proxy", False):
        forwarded = request.headers.get("x-forwarded-host", "").rpartition(",")[2].strip()
        host = forwarded or host
        trusted = _parts(f"{scheme}://{host}") is not None
    else:
        trusted = _is_own(scheme, host, request.scope.get("server"))
    return f"{scheme}://{host if trusted else _listening(scheme, request.scope.get('server'))}"


def public_path(request: Request, route: str, /, **named: str) -> str:
    """Return the path of a route as a client of the public address asks for it."""
    settings: Settings = request.app.state.runtime.settings
    return settings.path_prefix + str(request.app.url_path_for(route, **named))


def origin(url: str) -> str:
    """Return an URL's origin as browsers write it: without a path and without a default port."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    named = f"[{host}]" if ":" in host else host
    default = parts.port in (None, _DEFAULT_PORTS.get(parts.scheme))
    return f"{parts.scheme}://{named}" + ("" if default else f":{parts.port}")


def client_source(request: Request) -> str:
    """Return where a request comes from, to count attempts by.

    The client's address; behind trusted proxies the one that they name. Of IPv6 the network of 64
    bits, all of whose addresses one person usually has.
    """
    client = request.client
    return source_of(client.host if client is not None else "")


@lru_cache(maxsize=4096)
def is_trusted(host: str, proxies: str) -> bool:
    """Whether an address is one of the trusted proxies, as the setting lists them."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    networks = filter(None, map(str.strip, proxies.split(",")))
    return any(address in ipaddress.ip_network(one) for one in networks)


def source_of(host: str) -> str:
    """Return by what to count the connections and attempts of an address."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:_LONGEST_SOURCE] or "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def _is_own(scheme: str, host: str, server: Any) -> bool:
    """Whether a Host is this server: its name or address, with the port that it listens on."""
    asked = _parts(f"{scheme}://{host}")
    listening = _parts(f"{scheme}://{_listening(scheme, server)}")
    if asked is None or listening is None or asked[1] != listening[1]:
        return False
    return asked[0] == listening[0] or asked[0] in _names() or _is_loopback(asked[0])


def _parts(url: str) -> tuple[str, int] | None:
    """Return host and port; None where the URL has more than these, or is none at all."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    host = (parts.hostname or "").lower()
    if not host or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    if any(sign.isspace() or sign in "\"'<>\\" for sign in url):
        return None
    return host, port


def _listening(scheme: str, server: Any) -> str:
    host, port = server or ("localhost", None)
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, _DEFAULT_PORTS.get(scheme)) else f"{host}:{port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@cache
def _names() -> frozenset[str]:
    name = socket.gethostname().lower()
    return frozenset({name, f"{name}.local"})
