"""Registers that do something when they are written."""

from typing import Any

from homeassistant.components.button import ButtonEntity

from .entity import SolarHubEntity, platform_setup

PARALLEL_UPDATES = 0  # the plugin has a queue for each line


class SolarHubButton(SolarHubEntity, ButtonEntity):
    """Something that the device does on request. Its state, the last press, is Home Assistant's own."""

    def _show(self, value: Any) -> None:
        """Have nothing to show."""

    async def async_press(self) -> None:
        """Press, and return when the device has confirmed it."""
        await self._hub.async_call(self.definition, "press", self.person_name, context=self._context)


async_setup_entry = platform_setup(SolarHubButton)
