"""Switches."""

from typing import Any

from homeassistant.components.switch import SwitchEntity

from .entity import SolarHubEntity, platform_setup

PARALLEL_UPDATES = 0  # the plugin has a queue for each line


class SolarHubSwitch(SolarHubEntity, SwitchEntity):
    """Something that is on or off and can be set."""

    def _show(self, value: Any) -> None:
        if not (value is None or isinstance(value, bool)):
            raise ValueError(f"{value!r} is neither true nor false")
        self._attr_is_on = value

    async def async_turn_on(self, **_: Any) -> None:
        """Switch on."""
        await self._async_set(True)

    async def async_turn_off(self, **_: Any) -> None:
        """Switch off."""
        await self._async_set(False)


async_setup_entry = platform_setup(SolarHubSwitch)
