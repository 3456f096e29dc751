"""Times of day that can be set."""

from datetime import time
from typing import Any

from homeassistant.components.time import TimeEntity

from .entity import SolarHubEntity, platform_setup

PARALLEL_UPDATES = 0  # the plugin has a queue for each line


class SolarHubTime(SolarHubEntity, TimeEntity):
    """A time of day in hours and minutes."""

    def _show(self, value: Any) -> None:
        if value is not None and (not isinstance(value, str) or len(value) != 5):
            raise ValueError(f"{value!r} is not a time of day such as 06:30")
        self._attr_native_value = None if value is None else time.fromisoformat(value)

    async def async_set_value(self, value: time) -> None:
        """Write a time. The plugin refuses a time with seconds."""
        await self._async_set(value.isoformat("seconds" if value.second else "minutes"))


async_setup_entry = platform_setup(SolarHubTime)
