"""Definitions of devices and entities as the plugin sends them, and the checks they must pass."""

from collections.abc import Iterable
from dataclasses import dataclass
import re
from typing import Any, Final, Literal, NamedTuple, Self

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.number import NumberDeviceClass
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, Platform

from .const import PLATFORMS

type Json = dict[str, Any]

TEXT_MAX: Final = 255  # the longest state of Home Assistant
OPTIONS_MAX: Final = 1000

_DEVICE_CLASSES: Final[dict[str, frozenset[str]]] = {
    Platform.BINARY_SENSOR: frozenset(BinarySensorDeviceClass),
    Platform.NUMBER: frozenset(NumberDeviceClass),
    Platform.SENSOR: frozenset(SensorDeviceClass),
}
_WITHOUT_UNIT: Final = {SensorDeviceClass.DATE, SensorDeviceClass.ENUM, SensorDeviceClass.TIMESTAMP}


class DefinitionError(ValueError):
    """What is wrong with a definition, in one sentence."""


def root_of(device_id: str) -> str:
    """Return the id of the device that a part belongs to: "SN1" for "SN1/battery"."""
    return device_id.partition("/")[0]


def _text(item: Json, key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str) or not value:
        raise DefinitionError(f"{key} is {value!r}; it must be a text")
    if len(value) > TEXT_MAX:
        raise DefinitionError(f"{key} is {len(value)} characters long; at most {TEXT_MAX} are allowed")
    return value


def _text_or_none(item: Json, key: str) -> str | None:
    return None if item.get(key) in (None, "") else _text(item, key)


def _number(item: Json, key: str) -> float:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DefinitionError(f"{key} is {value!r}; it must be a number")
    return value


def _whole(item: Json, key: str, default: int, low: int, high: int) -> int:
    value = item.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DefinitionError(f"{key} is {value!r}; it must be a whole number from {low} to {high}")
    return value


def _one_of(item: Json, key: str, allowed: Iterable[str]) -> str | None:
    value = _text_or_none(item, key)
    if value is not None and value not in (known := sorted(allowed)):
        raise DefinitionError(f"{key} is {value!r}; it must be one of {', '.join(known)}")
    return value


class EntityState(NamedTuple):
    """What an entity shows. read_at is set if the value comes from the plugin's cache."""

    available: bool
    value: Any = None
    read_at: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceDef:
    """A device, or a part of a device such as its battery."""

    id: str
    name: str
    via: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    sw_version: str | None = None
    hw_version: str | None = None
    pending: bool = False  # it stands for a device that has never said who it is

    @property
    def root(self) -> str:
        """Return the id of the whole device."""
        return root_of(self.id)

    @classmethod
    def parse(cls, item: Json) -> Self:
        """Check a Device of PROTOCOL.md, section 3. Unknown fields are ignored."""
        device = cls(
            id=_text(item, "id"),
            name=_text(item, "name"),
            via=_text_or_none(item, "via"),
            manufacturer=_text_or_none(item, "manufacturer"),
            model=_text_or_none(item, "model"),
            serial_number=_text_or_none(item, "serial_number"),
            sw_version=_text_or_none(item, "sw_version"),
            hw_version=_text_or_none(item, "hw_version"),
            pending=item.get("pending") is True,
        )
        if device.via is None and "/" in device.id:
            raise DefinitionError(f"id is {device.id!r}; only a part has a / in its id")
        if device.via is not None and device.id.rpartition("/")[0] != device.via:
            raise DefinitionError(f"id is {device.id!r}; a part of {device.via!r} must be named {device.via}/<part>")
        return device


@dataclass(frozen=True, slots=True)
class EntityDef:
    """An entity. Fields of other platforms keep their defaults."""

    id: str
    device: str
    platform: Platform
    name: str
    key: str
    enabled: bool
    category: EntityCategory | None = None
    device_class: str | None = None
    unit: str | None = None
    state_class: str | None = None
    precision: int | None = None
    options: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()  # of the options, in their order; empty: the options are for people
    quantity: str | None = None  # its key in the vocabulary, with {n} in the place of a number
    min: float = 0
    max: float = 0
    step: float = 1
    mode: Literal["auto", "box", "slider"] = "auto"
    pattern: str | None = None
    min_length: int = 0
    max_length: int = TEXT_MAX
    icon: str | None = None

    @property
    def root(self) -> str:
        """Return the id of the whole device that this entity belongs to."""
        return root_of(self.device)

    def label(self, value: Any) -> Any:
        """Return the label of an option, and any other value as it is."""
        return dict(zip(self.options, self.labels, strict=False)).get(value, value) if isinstance(value, str) else value

    def slug(self, option: str) -> str:
        """Return the slug of an option, given that or the label."""
        return option if option not in self.labels else self.options[self.labels.index(option)]

    @classmethod
    def unlisted(cls, device: DeviceDef, key: str) -> Self:
        """Return what stands for a value of a device that is no entity. Only the plugin knows what kind it is of."""
        return cls(
            id=f"{device.id}_{key}", device=device.id, platform=Platform.SENSOR, name=key, key=key, enabled=False
        )

    @classmethod
    def parse(cls, item: Json) -> Self:
        """Check an Entity of PROTOCOL.md, section 3. Unknown fields are ignored."""
        platform = Platform(_one_of(item, "platform", PLATFORMS) or _text(item, "platform"))
        if not isinstance(enabled := item.get("enabled", True), bool):
            raise DefinitionError(f"enabled is {enabled!r}; it must be true or false")
        category = _one_of(item, "category", EntityCategory)
        if category == EntityCategory.CONFIG and platform in (Platform.SENSOR, Platform.BINARY_SENSOR):
            raise DefinitionError(f"category is 'config', which a {platform} cannot have")
        if (icon := _text_or_none(item, "icon")) and ":" not in icon:
            raise DefinitionError(f"icon is {icon!r}; it must have a prefix, as in mdi:flash")
        entity_id, device = _text(item, "id"), _text(item, "device")
        if not entity_id.startswith(prefix := f"{root_of(device)}_"):
            raise DefinitionError(f"id is {entity_id!r}; it must begin with {prefix}")
        return cls(
            id=entity_id,
            device=device,
            platform=platform,
            name=_text(item, "name"),
            key=_text(item, "key"),
            enabled=enabled,
            category=EntityCategory(category) if category else None,
            icon=icon,
            quantity=_text_or_none(item, "quantity"),
            **_of_platform(platform, item),
        )


def _of_platform(platform: Platform, item: Json) -> Json:
    """Return the fields that only this platform has."""
    classes = _DEVICE_CLASSES.get(platform)
    common = {"device_class": _one_of(item, "device_class", classes)} if classes else {}
    match platform:
        case Platform.SENSOR:
            return common | _of_sensor(item)
        case Platform.NUMBER:
            return common | _of_number(item)
        case Platform.SELECT:
            return _options(item)
        case Platform.TEXT:
            return _of_text(item)
        case _:
            return common


def _of_sensor(item: Json) -> Json:
    fields: Json = {
        "unit": _text_or_none(item, "unit"),
        "state_class": _one_of(item, "state_class", SensorStateClass),
        "precision": None if item.get("precision") is None else _whole(item, "precision", 0, 0, 12),
    }
    device_class = item.get("device_class")
    if device_class in _WITHOUT_UNIT and (fields["unit"] or fields["state_class"]):
        raise DefinitionError(f"a sensor of the device class {device_class!r} has neither unit nor state_class")
    if device_class == SensorDeviceClass.ENUM:
        fields |= _options(item)
    return fields


def _of_number(item: Json) -> Json:
    low, high, step = _number(item, "min"), _number(item, "max"), _number(item, "step")
    if low >= high:
        raise DefinitionError(f"min is {low!r} and max {high!r}; min must be lower")
    if step <= 0:
        raise DefinitionError(f"step is {step!r}; it must be above 0")
    mode = _one_of(item, "mode", ("auto", "box", "slider")) or "auto"
    return {"unit": _text_or_none(item, "unit"), "min": low, "max": high, "step": step, "mode": mode}


def _of_text(item: Json) -> Json:
    shortest = _whole(item, "min_length", 0, 0, TEXT_MAX)
    pattern = _text_or_none(item, "pattern")
    try:
        re.compile(pattern or "")
    except re.error as err:
        raise DefinitionError(f"pattern is {pattern!r}: {err}") from err
    longest = _whole(item, "max_length", TEXT_MAX, shortest, TEXT_MAX)
    return {"pattern": pattern, "min_length": shortest, "max_length": longest}


def _options(item: Json) -> Json:
    options = _texts(item, "options")
    labels = _texts(item, "labels") if item.get("labels") else ()
    if labels and len(labels) != len(options):
        raise DefinitionError(f"labels is {labels!r}; it must have one text for each option")
    return {"options": options, "labels": labels}


def _texts(item: Json, key: str) -> tuple[str, ...]:
    texts = item.get(key)
    if not isinstance(texts, list | tuple) or not texts or not all(isinstance(t, str) and t for t in texts):
        raise DefinitionError(f"{key} is {texts!r}; it must be a list of texts")
    if len(texts) > OPTIONS_MAX or any(len(text) > TEXT_MAX for text in texts):
        raise DefinitionError(f"{key}: at most {OPTIONS_MAX} options of at most {TEXT_MAX} characters are allowed")
    if len(set(texts)) != len(texts):
        raise DefinitionError(f"{key} is {texts!r}; no option may occur twice")
    return tuple(texts)
