"""Registers that hold a text and can be set; also times of day as HH:MM, because scenes cannot set a time."""

import re
from typing import Any

from homeassistant.components.text import TextEntity

from .definitions import Entity as Definition
from .entity import SolarHubEntity, platform_setup
from .hub import Hub

PARALLEL_UPDATES = 0  # the plugin has a queue for each line


class SolarHubText(SolarHubEntity, TextEntity):
    """A text that can be set."""

    def __init__(self, hub: Hub, definition: Definition) -> None:
        """Make the text that shows a definition."""
        super().__init__(hub, definition)
        self._attr_native_min = definition.min_length
        self._attr_native_max = definition.max_length
        self._attr_pattern = definition.pattern

    def _show(self, value: Any) -> None:
        if value is not None and (not isinstance(value, str) or self.refused_by_host(value)):
            raise ValueError(f"{value!r} does not fit the length or the pattern of this text")
        self._attr_native_value = value

    def refused_by_host(self, typed: Any) -> bool:
        """Report whether Home Assistant refuses a text before it gets here."""
        fits = self.native_min <= len(text := str(typed)) <= self.native_max
        return not fits or (self.pattern is not None and re.match(self.pattern, text) is None)

    async def async_set_value(self, value: str) -> None:
        """Write a text, and return when the device has confirmed it."""
        await self._async_set(value, value)


async_setup_entry = platform_setup(SolarHubText)
