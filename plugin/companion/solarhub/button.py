"""Buttons: the device does something when their register is written."""

from typing import Any

from homeassistant.components.button import ButtonEntity

from .entity import SolarHubEntity, platform_setup

PARALLEL_UPDATES = 0  # the plugin has a queue for each line


class SolarHubButton(SolarHubEntity, ButtonEntity):
    """Something that the device does on request. Home Assistant itself keeps the state, which is the last press."""

    def _show(self, value: Any) -> None:
        """Show nothing: a button has no value."""

    async def async_press(self) -> None:
        """Press the button. Returns when the device has confirmed it."""
        await self._hub.async_call(self.definition, "press", self.owner_name, context=self._context)


async_setup_entry = platform_setup(SolarHubButton)
