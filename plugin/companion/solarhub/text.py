"""Texts that can be set. Times of day come as texts too, as HH:MM, because scenes cannot set a time."""

import re
from typing import Any

from homeassistant.components.text import TextEntity

from .definitions import EntityDef
from .entity import SolarHubEntity, platform_setup

PARALLEL_UPDATES = 0  # the plugin has a queue for each line


class SolarHubText(SolarHubEntity, TextEntity):
    """A text that can be set."""

    def _define(self, definition: EntityDef) -> None:
        super()._define(definition)
        self._attr_native_min = definition.min_length
        self._attr_native_max = definition.max_length
        self._attr_pattern = definition.pattern

    def _show(self, value: Any) -> None:
        if value is not None and (not isinstance(value, str) or not self._fits(value)):
            raise ValueError(f"{value!r} does not fit the length or the pattern of this text")
        self._attr_native_value = value

    def _fits(self, value: str) -> bool:
        """Report whether a text has the length and the pattern that Home Assistant demands."""
        fits = self.native_min <= len(value) <= self.native_max
        return fits and (self.pattern is None or re.match(self.pattern, value) is not None)

    async def async_set_value(self, value: str) -> None:
        """Write a text."""
        await self._async_set(value)


async_setup_entry = platform_setup(SolarHubText)
