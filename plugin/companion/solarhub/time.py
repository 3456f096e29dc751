"""Registers that hold a time of day and can be set."""

from datetime import time
from typing import Any

from homeassistant.components.time import TimeEntity

from .entity import SolarHubEntity, platform_setup

PARALLEL_UPDATES = 0  # the plugin has a queue for each line


class SolarHubTime(SolarHubEntity, TimeEntity):
    """A time of day in hours and minutes."""

    def _show(self, value: Any) -> None:
        if value is not None and (not isinstance(value, str) or len(value) != 5):
            raise ValueError(f"{value!r} is no time of day like 06:30")
        self._attr_native_value = None if value is None else time.fromisoformat(value)

    async def async_set_value(self, value: time) -> None:
        """Write a time, and return when the device has confirmed it. The plugin refuses one with seconds."""
        await self._async_set(value.isoformat("seconds" if value.second else "minutes"), value.isoformat("seconds"))


async_setup_entry = platform_setup(SolarHubTime)
