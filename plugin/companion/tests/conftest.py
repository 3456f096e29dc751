"""Fixtures over a real Home Assistant that has the companion installed.

HASS_URL and HASS_TOKEN name it; without them every test that needs it says how to get one and is skipped. Each test
has a plugin of its own, with its own serial number, and leaves nothing behind.
"""

from collections.abc import AsyncIterator
import itertools
import os

from home import Home, set_up
from plugin import Client, Plugin
import pytest

_numbers = itertools.count(1)


@pytest.fixture
def address() -> tuple[str, str]:
    url, token = os.environ.get("HASS_URL"), os.environ.get("HASS_TOKEN")
    if not url or not token:
        pytest.skip("needs HASS_URL and HASS_TOKEN of a Home Assistant with the companion: .ci/homeassistant start DIR")
    return url, token


@pytest.fixture
async def core(address: tuple[str, str]) -> AsyncIterator[Client]:
    """Return a caller: what an automation, a script or developer tools do. The integration is set up."""
    async with Client(*address) as client:
        await set_up(client)
        yield client


@pytest.fixture
def serial() -> str:
    return f"T{os.getpid()}X{next(_numbers)}"


@pytest.fixture
async def plugin(core: Client, address: tuple[str, str], serial: str) -> AsyncIterator[Plugin]:
    """Return a plugin that has not said hello. Its devices are forgotten afterwards."""
    async with Plugin(*address, installation=f"test {serial}") as plugin:
        yield plugin
    async with Plugin(*address, installation=f"test {serial}", epoch=2**52) as cleaner:
        await cleaner.hello([])
        await cleaner.say("remove", devices=[serial, f"{serial}B"])


@pytest.fixture
async def home(core: Client, plugin: Plugin, serial: str) -> Home:
    home = Home(core, plugin, serial)
    await home.open()
    return home
