"""Readings that cannot be set."""

from datetime import date
from typing import Any, Final

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorStateClass
from homeassistant.util import dt as dt_util

from .definitions import TEXT_MAX, EntityDef
from .entity import SolarHubEntity, platform_setup

PARALLEL_UPDATES = 0

_NOT_NUMERIC: Final = {SensorDeviceClass.DATE, SensorDeviceClass.ENUM, SensorDeviceClass.TIMESTAMP}


class SolarHubSensor(SolarHubEntity, SensorEntity):
    """A quantity that cannot be set."""

    def _define(self, definition: EntityDef) -> None:
        super()._define(definition)
        self._attr_device_class = SensorDeviceClass(definition.device_class) if definition.device_class else None
        self._attr_state_class = SensorStateClass(definition.state_class) if definition.state_class else None
        self._attr_options = list(self._shown_options.values()) or None
        self._attr_native_unit_of_measurement = definition.unit
        self._attr_suggested_display_precision = definition.precision
        self._numeric = (definition.device_class is not None and definition.device_class not in _NOT_NUMERIC) or (
            definition.unit is not None or definition.state_class is not None or definition.precision is not None
        )

    def _show(self, value: Any) -> None:
        self._attr_native_value = None if value is None else self._fitting(value)

    def _fitting(self, value: Any) -> Any:
        match self.definition.device_class:
            case SensorDeviceClass.ENUM:
                return self._option(value)
            case SensorDeviceClass.TIMESTAMP:
                if (moment := dt_util.parse_datetime(str(value))) is None or moment.tzinfo is None:
                    raise ValueError(f"{value!r} is not a time with a time zone")
                return moment
            case SensorDeviceClass.DATE:
                return date.fromisoformat(str(value))
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if self._numeric and not number:
            raise ValueError(f"{value!r} is not a number")
        if not number and (not isinstance(value, str) or len(value) > TEXT_MAX):
            raise ValueError(f"{value!r} is neither a number nor a text of at most {TEXT_MAX} characters")
        return value


async_setup_entry = platform_setup(SolarHubSensor)
