from threading import Event, Semaphore, Thread

import pytest

from tandem.webhooks import addresses
from tandem.webhooks.addresses import Destination, Rules, UnsafeUrl

SOON = 120.0
"""Seconds after which what should happen at once is taken not to happen at all."""

STRICT, OPEN = Rules(), Rules(allow_private=True, allow_http=True)

PUBLIC = ("9.9.9.9", "172.32.0.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "2001:4860::8888")
PRIVATE = (
    *("127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("100.64.0.1", "100.127.255.255", "::1", "fc00::1", "fdff::1"),
)
NEVER = (
    *("0.0.0.0", "0.1.2.3", "169.254.169.254", "192.0.0.8", "192.0.2.1", "192.88.99.1"),
    *("198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    *("255.255.255.255", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1"),
    *("2001::1", "2002:7f00:1::", "2002:909:909::", "64:ff9b:1::1", "100::1", "3fff::1"),
    *("::127.0.0.1", "::9.9.9.9"),
    # The metadata of clouds that keep it among private addresses, or at one that looks public.
    *("100.100.100.200", "fd00:ec2::254", "168.63.129.16"),
)
IN_DISGUISE = (
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str) -> None:
    assert addresses.is_allowed(address, STRICT)


@pytest.mark.parametrize("address", [*PRIVATE, *NEVER, *IN_DISGUISE])
def test_others_are_not(address: str) -> None:
    assert not addresses.is_allowed(address, STRICT)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_ones_are_where_the_installation_says_so(address: str) -> None:
    assert addresses.is_allowed(address, OPEN)


@pytest.mark.parametrize("address", [*NEVER, "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe"])
def test_what_is_no_endpoint_never_is(address: str) -> None:
    assert not addresses.is_allowed(address, OPEN)


def test_an_ipv4_address_behind_nat64_or_mapped_is_judged_as_itself() -> None:
    assert addresses.is_allowed("64:ff9b::909:909", STRICT)
    assert addresses.is_allowed("::ffff:9.9.9.9", STRICT)


def test_a_url_is_taken_apart_once() -> None:
    assert addresses.parse("https://Hooks.example.org/a/b?c=d", STRICT) == Destination(
        "https", "hooks.example.org", 443, "/a/b?c=d"
    )
    assert addresses.parse("https://[2606:4700::1111]:8443", STRICT) == Destination(
        "https", "2606:4700::1111", 8443, "/"
    )
    assert addresses.parse("http://10.0.0.1", OPEN).port == 80


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "//hooks.example.org/",
        "hooks.example.org",
        "https://",
        "https:///path",
        "https://user@hooks.example.org/",
        "https://user:password@hooks.example.org/",
        "https://hooks.example.org/#part",
        "https://hooks.example.org:0/",
        "https://hooks.example.org:99999/",
        "https://hooks.example.org:port/",
        "https://hooks.example.org\\@10.0.0.1/",
        "https://hooks.example.org/a b",
        "https://hooks.example.org/\r\nHost: other",
        "https://bücher.example/",
        "https://hooks..example.org/",
        "https://-hooks.example.org/",
        f"https://{'a' * 64}.org/",
        f"https://{'a.' * 130}org/",
        "https://[fe80::1%25eth0]/",
        "https://[::1",
        "https://[not-an-address]/",
        "https://hooks.example.org/" + "a" * 2000,
    ],
)
def test_what_is_no_plain_https_url_is_refused(url: str) -> None:
    with pytest.raises(UnsafeUrl) as refused:
        addresses.parse(url, STRICT)

    assert (refused.value.code, refused.value.field) == ("unsafe_url", "url")


@pytest.mark.parametrize("answers", [["10.0.0.1"], ["9.9.9.9", "127.0.0.1"], ["9.9.9.9", "::1"]])
def test_every_address_of_a_name_must_be_public(answers: list[str]) -> None:
    destination = addresses.parse("https://hooks.example.org/", STRICT)

    with pytest.raises(UnsafeUrl) as refused:
        addresses.resolved(destination, STRICT, resolve=lambda _, __: answers)

    # Names of an inner network stay unknown to those who try them.
    assert not any(address in str(refused.value) for address in answers)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://[::1]/",
            "https://0/", "https://localhost/"],
)  # fmt: skip
def test_addresses_in_any_spelling_are_seen_at_once(url: str) -> None:
    with pytest.raises(UnsafeUrl):
        addresses.refuse_if_visible(url, STRICT)


def test_a_name_that_leads_nowhere_yet_may_be_given() -> None:
    def nobody_knows(_: str, __: int) -> list[str]:
        raise OSError("no such name")

    addresses.refuse_if_visible("https://hooks.example.org/", STRICT, resolve=nobody_knows)


def test_name_servers_that_are_silent_hold_few_of_those_who_ask() -> None:
    asked, over = Semaphore(0), Event()

    def silent(_: str, __: int) -> list[str]:
        asked.release()
        over.wait(SOON)
        return ["9.9.9.9"]

    def ask() -> None:
        addresses.refuse_if_visible("https://hooks.example.org/", STRICT, resolve=silent)

    waiting = [Thread(target=ask) for _ in range(8)]
    try:
        for thread in waiting:
            thread.start()
            assert asked.acquire(timeout=SOON)

        ask()  # returns though nobody has answered yet

        assert not asked.acquire(blocking=False)
    finally:
        over.set()
        for thread in waiting:
            thread.join()
