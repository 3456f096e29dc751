"""Readings that are on or off."""

from typing import Any

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity

from .definitions import EntityDef
from .entity import SolarHubEntity, platform_setup

PARALLEL_UPDATES = 0


class SolarHubBinarySensor(SolarHubEntity, BinarySensorEntity):
    """Something that is on or off and cannot be set."""

    def _define(self, definition: EntityDef) -> None:
        super()._define(definition)
        self._attr_device_class = BinarySensorDeviceClass(definition.device_class) if definition.device_class else None

    def _show(self, value: Any) -> None:
        if not (value is None or isinstance(value, bool)):
            raise ValueError(f"{value!r} is neither true nor false")
        self._attr_is_on = value


async_setup_entry = platform_setup(SolarHubBinarySensor)
