"""What the plugin says of its devices and entities: checked, kept, and looked up."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
import re
from typing import Any, Final, Literal, Self

from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.components.number import NumberDeviceClass
from homeassistant.components.sensor import SensorDeviceClass, SensorStateClass
from homeassistant.const import EntityCategory, Platform

from .const import PLATFORMS

type Json = dict[str, Any]

TEXT_MAX: Final = 255  # the longest state of Home Assistant

_DEVICE_CLASSES: Final[dict[str, frozenset[str]]] = {
    Platform.BINARY_SENSOR: frozenset(BinarySensorDeviceClass),
    Platform.NUMBER: frozenset(NumberDeviceClass),
    Platform.SENSOR: frozenset(SensorDeviceClass),
}
_WITHOUT_UNIT: Final = {SensorDeviceClass.DATE, SensorDeviceClass.ENUM, SensorDeviceClass.TIMESTAMP}


class DefinitionError(ValueError):
    """A sentence that says what is wrong with a definition."""


def root_of(device_id: str) -> str:
    """Return the device id without its part: "SN1" for "SN1/battery"."""
    return device_id.partition("/")[0]


def _text(item: Json, key: str) -> str:
    value = item.get(key)
    if not isinstance(value, str) or not value:
        raise DefinitionError(f"{key} is {value!r}; a text is wanted")
    return value


def _text_or_none(item: Json, key: str) -> str | None:
    return None if item.get(key) in (None, "") else _text(item, key)


def _number(item: Json, key: str) -> float:
    value = item.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DefinitionError(f"{key} is {value!r}; a number is wanted")
    return value


def _whole(item: Json, key: str, default: int, low: int, high: int) -> int:
    value = item.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise DefinitionError(f"{key} is {value!r}; a whole number from {low} to {high} is wanted")
    return value


def _one_of(item: Json, key: str, allowed: Iterable[str]) -> str | None:
    value = _text_or_none(item, key)
    if value is not None and value not in (known := sorted(allowed)):
        raise DefinitionError(f"{key} is {value!r}; allowed are {', '.join(known)}")
    return value


@dataclass(frozen=True, slots=True)
class Device:
    """A device, or a part of one such as its battery."""

    id: str
    name: str
    via: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    sw_version: str | None = None
    hw_version: str | None = None

    @property
    def root(self) -> str:
        """Return the id of the device that this is, or is a part of."""
        return root_of(self.id)

    @classmethod
    def parse(cls, item: Json) -> Self:
        """Check a Device of PROTOCOL.md, section 3; unknown fields are ignored."""
        device = cls(
            id=_text(item, "id"),
            name=_text(item, "name"),
            via=_text_or_none(item, "via"),
            manufacturer=_text_or_none(item, "manufacturer"),
            model=_text_or_none(item, "model"),
            serial_number=_text_or_none(item, "serial_number"),
            sw_version=_text_or_none(item, "sw_version"),
            hw_version=_text_or_none(item, "hw_version"),
        )
        if device.via == device.id:
            raise DefinitionError(f"via is {device.via!r}, the device itself")
        return device


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity. Fields that do not belong to its platform have their defaults."""

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
        """Return the id of the device, without its part, to which this belongs."""
        return root_of(self.device)

    @classmethod
    def parse(cls, item: Json) -> Self:
        """Check an Entity of PROTOCOL.md, section 3; unknown fields are ignored."""
        platform = Platform(_one_of(item, "platform", PLATFORMS) or _text(item, "platform"))
        if not isinstance(enabled := item.get("enabled", True), bool):
            raise DefinitionError(f"enabled is {enabled!r}; true or false is wanted")
        category = _one_of(item, "category", EntityCategory)
        if category == EntityCategory.CONFIG and platform in (Platform.SENSOR, Platform.BINARY_SENSOR):
            raise DefinitionError(f"category is 'config', which a {platform} cannot have")
        if (icon := _text_or_none(item, "icon")) and ":" not in icon:
            raise DefinitionError(f"icon is {icon!r}; something like mdi:flash is wanted")
        return cls(
            id=_text(item, "id"),
            device=_text(item, "device"),
            platform=platform,
            name=_text(item, "name"),
            key=_text(item, "key"),
            enabled=enabled,
            category=EntityCategory(category) if category else None,
            icon=icon,
            **_of_platform(platform, item),
        )


def _of_platform(platform: Platform, item: Json) -> Json:
    """Return the fields that only some platforms have."""
    classes = _DEVICE_CLASSES.get(platform)
    common = {"device_class": _one_of(item, "device_class", classes)} if classes else {}
    match platform:
        case Platform.SENSOR:
            return common | _of_sensor(item)
        case Platform.NUMBER:
            return common | _of_number(item)
        case Platform.SELECT:
            return {"options": _options(item)}
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
        fields["options"] = _options(item)
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


def _options(item: Json) -> tuple[str, ...]:
    options = item.get("options")
    if not isinstance(options, list | tuple) or not options or not all(isinstance(o, str) and o for o in options):
        raise DefinitionError(f"options is {options!r}; a list of texts is wanted")
    if len(set(options)) != len(options):
        raise DefinitionError(f"options is {options!r}; one is there twice")
    return tuple(options)


@dataclass(slots=True)
class Registration:
    """One registration as it arrives, frame by frame. Bad items are set aside."""

    hash: str
    frames: int = 0
    devices: dict[str, Device] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)
    rejected: list[dict[str, str]] = field(default_factory=list)

    def add(self, devices: list[Json], entities: list[Json]) -> None:
        """Take the items of the next frame."""
        self.frames += 1
        for item in devices:
            self._guarded(item, self._add_device)
        for item in entities:
            self._guarded(item, self._add_entity)

    def _guarded(self, item: Json, add: Any) -> None:
        try:
            add(item)
        except DefinitionError as err:
            self.rejected.append({"id": str(item.get("id", "")), "message": str(err)})

    def _add_device(self, item: Json) -> None:
        device = Device.parse(item)
        if device.id in self.devices:
            raise DefinitionError("this device is there twice")
        if device.via is not None and device.via not in self.devices:
            raise DefinitionError(f"via is {device.via!r}; no device before this one has that id")
        self.devices[device.id] = device

    def _add_entity(self, item: Json) -> None:
        entity = Entity.parse(item)
        if entity.id in self.entities:
            raise DefinitionError("this entity is there twice")
        if entity.device not in self.devices:
            raise DefinitionError(f"device is {entity.device!r}; no device has that id")
        self.entities[entity.id] = entity


@dataclass(slots=True)
class Catalogue:
    """All definitions that are kept, of all installations. Devices and entities are in the order of registration."""

    devices: dict[str, Device] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # device id without part -> installation
    hashes: dict[str, str] = field(default_factory=dict)  # installation -> hash of what it registered last

    def owner_of(self, device_id: str) -> str | None:
        """Return the installation that serves a device or part."""
        return self.owners.get(root_of(device_id))

    def of_installation(self, installation: str) -> Iterator[Entity]:
        """Yield the entities that an installation serves."""
        return (entity for entity in self.entities.values() if self.owners.get(entity.root) == installation)

    def take(self, installation: str, new: Registration) -> tuple[list[Device], list[Entity]]:
        """Replace what is known of the registered devices, and return the devices and entities that are gone.

        A device that the registration does not name is kept: perhaps it sleeps. One that another installation served
        changes hands, and that installation's hash is forgotten, so that it registers anew when it comes back.
        """
        roots = {device.root for device in new.devices.values()}
        gone_devices = [d for d in self.devices.values() if d.root in roots and d.id not in new.devices]
        gone_entities = [e for e in self.entities.values() if e.root in roots and e.id not in new.entities]
        self._drop(gone_devices, gone_entities)
        for root in roots:
            if (before := self.owners.get(root)) not in (None, installation):
                self.hashes.pop(str(before), None)
            self.owners[root] = installation
        for device in new.devices.values():  # at the end, so that a parent comes before its parts
            self.devices.pop(device.id, None)
            self.devices[device.id] = device
        self.entities.update(new.entities)
        self.hashes[installation] = new.hash
        return gone_devices, gone_entities

    def forget(self, device_ids: Iterable[str]) -> tuple[list[Device], list[Entity]]:
        """Drop devices with their parts and entities, and return them; a part is dropped alone."""
        ids = set(device_ids)
        devices = [d for d in self.devices.values() if d.id in ids or d.root in ids]
        dropped = {d.id for d in devices}
        entities = [e for e in self.entities.values() if e.device in dropped]
        for device in devices:
            self.hashes.pop(self.owners.get(device.root, ""), None)
        self._drop(devices, entities)
        for root in ids:
            self.owners.pop(root, None)
        return devices, entities

    def _drop(self, devices: list[Device], entities: list[Entity]) -> None:
        for device in devices:
            del self.devices[device.id]
        for entity in entities:
            del self.entities[entity.id]

    def to_json(self) -> Json:
        """Return everything as the host's storage keeps it."""
        return {
            "devices": [asdict(device) for device in self.devices.values()],
            "entities": [asdict(entity) for entity in self.entities.values()],
            "owners": self.owners,
            "hashes": self.hashes,
        }

    @classmethod
    def from_json(cls, kept: Json | None) -> Self:
        """Return what to_json gave. What this version no longer accepts is left out, and will be registered again."""
        catalogue = cls()
        if kept is None:
            return catalogue
        read = Registration(hash="")
        read.add(kept["devices"], kept["entities"])
        catalogue.devices, catalogue.entities = read.devices, read.entities
        catalogue.owners = kept["owners"]
        if not read.rejected:
            catalogue.hashes = kept["hashes"]
        return catalogue
