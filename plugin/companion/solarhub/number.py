"""Registers that hold a number and can be set."""

from contextlib import suppress
from math import isnan
from typing import Any

from homeassistant.components.number import NumberDeviceClass, NumberEntity, NumberMode

from .definitions import Entity as Definition
from .entity import SolarHubEntity, platform_setup
from .errors import call_error
from .hub import Hub

PARALLEL_UPDATES = 0  # the plugin has a queue for each line


def spelled(value: float) -> float:
    """Return whole numbers as int: scenes compare numbers as texts, and 1000.0 is not 1000 to them."""
    return int(value) if value == int(value) else value


class SolarHubNumber(SolarHubEntity, NumberEntity):
    """A number that can be set."""

    def __init__(self, hub: Hub, definition: Definition) -> None:
        """Make the number that shows a definition."""
        super().__init__(hub, definition)
        if definition.device_class is not None:
            self._attr_device_class = NumberDeviceClass(definition.device_class)
        self._attr_native_unit_of_measurement = definition.unit
        self._attr_native_min_value = definition.min
        self._attr_native_max_value = definition.max
        self._attr_native_step = definition.step
        self._attr_mode = NumberMode(definition.mode)

    def _show(self, value: Any) -> None:
        if isinstance(value, bool) or not (value is None or isinstance(value, int | float)):
            raise ValueError(f"{value!r} is no number")
        self._attr_native_value = None if value is None else spelled(value)

    def refused_by_host(self, typed: Any) -> bool:
        """Report whether Home Assistant refuses a value before it gets here."""
        with suppress(TypeError, ValueError):
            return not self.min_value <= float(typed) <= self.max_value
        return True

    async def async_set_native_value(self, value: float) -> None:
        """Write a number, and return when the device has confirmed it. Home Assistant takes "nan" for one."""
        if isnan(value):
            wanted = "a number"
            told = {"value": value, "expected": wanted, "reason": f"{wanted} is expected"}
            raise call_error("wrong_type", self.person_name, told)
        await self._async_set(spelled(value), str(spelled(value)))


async_setup_entry = platform_setup(SolarHubNumber)
