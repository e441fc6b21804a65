"""Where a webhook may go: https and public addresses, unless the installation says otherwise.

Owners of reviews choose these URLs, and this machine, which stands where they do not, calls them.
So a name is resolved once, every address it has is looked at, and one of those very addresses is
connected to: a second answer of the name server is never asked for.
"""

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import BoundedSemaphore, Thread
from urllib.parse import urlsplit

from tandem.errors import Invalid

_ASKING = BoundedSemaphore(8)
"""Names that are asked for at a time on behalf of requests, of which a process works on 40."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""From a name and a port to all of its addresses. Raises OSError if it has none."""

_LONGEST_URL = 2000
_LOOKUP_SECONDS = 5.0
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
PORTS = {"https": 443, "http": 80}


def _networks(*texts: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


_PRIVATE = _networks(
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
    "::1/128", "fc00::/7",
)  # fmt: skip
"""Loopback, private and carrier networks: the ones an installation may allow."""

_NEVER = _networks(
    "0.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)  # fmt: skip
"""This network, link-local (the clouds' metadata), benchmarks, examples, 6to4, Teredo, multicast,
reserved. Of IPv6 all that is not in the global unicast block is refused besides."""

_METADATA = _networks("100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128")
"""Of clouds that keep it elsewhere: Alibaba, Azure, and AWS in IPv6."""

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class UnsafeUrl(Invalid):
    """Nothing is sent there; `field` names the URL."""

    code = "unsafe_url"

    def __init__(self, message: str) -> None:
        super().__init__(message, field="url")


@dataclass(frozen=True, slots=True)
class Rules:
    """What this installation allows beside https to public addresses."""

    allow_private: bool = False
    allow_http: bool = False


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL taken apart, the one time that it is. `target` is its path with the query."""

    scheme: str
    host: str
    port: int
    target: str


def parse(url: str, rules: Rules) -> Destination:
    """Take a URL apart.

    Raises:
        UnsafeUrl: It is not a plain https URL (or http where that is allowed).
    """
    if len(url) > _LONGEST_URL or not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise UnsafeUrl(
            f"Write the URL with printable ASCII characters only, at most {_LONGEST_URL}: "
            "a name in another script as xn--…, others in the path as %…."
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnsafeUrl("This is not a URL.") from None
    if parts.scheme not in PORTS or (parts.scheme == "http" and not rules.allow_http):
        raise UnsafeUrl("A webhook's URL begins with https://.")
    if "@" in parts.netloc or parts.fragment or port == 0:
        raise UnsafeUrl("A webhook's URL has no user, no password, no fragment and no port 0.")
    host = parts.hostname or ""
    if not (_NAME.fullmatch(host) or (":" in host and _is_ipv6(host))):
        raise UnsafeUrl("The URL names no host.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, host, port or PORTS[parts.scheme], target)


def lookup(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver, once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def resolved(
    destination: Destination,
    rules: Rules,
    *,
    resolve: Resolve = lookup,
    within: float = _LOOKUP_SECONDS,
) -> Sequence[str]:
    """Return the addresses to connect to, all of them allowed.

    Args:
        destination: Whose name is asked for.
        rules: What is allowed.
        resolve: Asks.
        within: Seconds that are waited for it.

    Raises:
        UnsafeUrl: One of them is not.
        OSError: The name has no address, or its name server is silent.
    """
    found = _in_time(resolve, destination, within)
    for address in found:
        if not is_allowed(address, rules):
            # Not which address: names of an inner network are nobody's business outside.
            raise UnsafeUrl(
                f"{destination.host} is not (only) at public addresses. Messages go nowhere else, "
                "unless whoever runs this server allows it (TANDEM_WEBHOOKS_ALLOW_PRIVATE)."
            )
    return found


def _in_time(resolve: Resolve, destination: Destination, seconds: float) -> Sequence[str]:
    """Ask, and leave a name server that is silent alone: whose it is, the URL's owner chooses.

    The system's resolver has no limit that could be set; it gives up by itself, much later.
    """
    outcome: Future[Sequence[str]] = Future()

    def ask() -> None:
        try:
            outcome.set_result(resolve(destination.host, destination.port))
        except Exception as error:
            outcome.set_exception(error)

    Thread(target=ask, name="lookup", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError:
        raise OSError(f"the name server of {destination.host} does not answer") from None


def refuse_if_visible(url: str, rules: Rules, *, resolve: Resolve = lookup) -> None:
    """Raise UnsafeUrl if it can be seen already that nothing will be sent there.

    That a name has no address yet is no reason to refuse it, nor that too many are asked for
    at the moment: it is looked at again before each attempt.
    """
    destination = parse(url, rules)
    # One who asks is a request's thread. Silent name servers must not take them all.
    if not _ASKING.acquire(blocking=False):
        return
    try:
        resolved(destination, rules, resolve=resolve)
    except OSError:
        return
    finally:
        _ASKING.release()


def is_allowed(text: str, rules: Rules) -> bool:
    """Return whether a request may go to this address."""
    address = _meant(ipaddress.ip_address(text))
    if _is_in(address, _METADATA):
        return False
    if _is_in(address, _PRIVATE):
        return rules.allow_private
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return not _is_in(address, _NEVER)


def _meant(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, if it stands for one."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_in(
    address: Address, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]
) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text
