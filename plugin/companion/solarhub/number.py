"""Numbers that can be set."""

from math import isnan
from typing import Any

from homeassistant.components.number import NumberDeviceClass, NumberEntity, NumberMode
from homeassistant.const import Platform

from .definitions import EntityDef
from .entity import SolarHubEntity, platform_setup
from .errors import call_error

PARALLEL_UPDATES = 0  # the plugin has a queue for each line


def spelled(value: float) -> float:
    """Return a whole number as an int. Scenes compare numbers as texts, and to them 1000.0 differs from 1000."""
    return int(value) if value == int(value) else value


class SolarHubNumber(SolarHubEntity, NumberEntity):
    """A number that can be set."""

    def _define(self, definition: EntityDef) -> None:
        super()._define(definition)
        self._attr_device_class = NumberDeviceClass(definition.device_class) if definition.device_class else None
        self._attr_native_unit_of_measurement = definition.unit
        self._attr_native_min_value = definition.min
        self._attr_native_max_value = definition.max
        self._attr_native_step = definition.step
        self._attr_mode = NumberMode(definition.mode)

    def _show(self, value: Any) -> None:
        if isinstance(value, bool) or not (value is None or isinstance(value, int | float)):
            raise ValueError(f"{value!r} is not a number")
        self._attr_native_value = None if value is None else spelled(value)

    async def async_set_native_value(self, value: float) -> None:
        """Write a number. Home Assistant itself lets "nan" through."""
        if isnan(value):
            raise call_error("wrong_type", self.owner_name, {"value": value}, Platform.NUMBER)
        await self._async_set(spelled(value))


async_setup_entry = platform_setup(SolarHubNumber)
