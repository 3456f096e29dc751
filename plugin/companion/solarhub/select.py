"""Options that can be selected."""

from typing import Any

from homeassistant.components.select import SelectEntity

from .definitions import EntityDef
from .entity import SolarHubEntity, platform_setup

PARALLEL_UPDATES = 0  # the plugin has a queue for each line


class SolarHubSelect(SolarHubEntity, SelectEntity):
    """A choice between options."""

    def _define(self, definition: EntityDef) -> None:
        super()._define(definition)
        self._attr_options = list(self._shown_options.values())

    def _show(self, value: Any) -> None:
        self._attr_current_option = None if value is None else self._option(value)

    async def async_select_option(self, option: str) -> None:
        """Write an option."""
        await self._async_set(self.definition.slug(option))


async_setup_entry = platform_setup(SolarHubSelect)
