"""The catalogue of definitions: how a registration changes it, and how the host stores it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field

from .definitions import DefinitionError, DeviceDef, EntityDef, Json, root_of


@dataclass(slots=True)
class Registration:
    """One registration, frame by frame. Items that fail a check are rejected; the others are kept."""

    hash: str
    frames: int = 0
    devices: dict[str, DeviceDef] = field(default_factory=dict)
    entities: dict[str, EntityDef] = field(default_factory=dict)
    rejected: list[dict[str, str]] = field(default_factory=list)

    def add(self, devices: list[Json], entities: list[Json]) -> None:
        """Add the items of the next frame."""
        self.frames += 1
        for item in devices:
            self._try(item, self._add_device)
        for item in entities:
            self._try(item, self._add_entity)

    def _try(self, item: Json, add: Callable[[Json], None]) -> None:
        try:
            add(item)
        except DefinitionError as err:
            self.rejected.append({"id": str(item.get("id", "")), "message": str(err)})

    def _add_device(self, item: Json) -> None:
        device = DeviceDef.parse(item)
        if device.id in self.devices:
            raise DefinitionError("this device occurs twice")
        if device.via is not None and device.via not in self.devices:
            raise DefinitionError(f"via is {device.via!r}, but no earlier device has that id")
        self.devices[device.id] = device

    def _add_entity(self, item: Json) -> None:
        entity = EntityDef.parse(item)
        if entity.id in self.entities:
            raise DefinitionError("this entity occurs twice")
        if entity.device not in self.devices:
            raise DefinitionError(f"device is {entity.device!r}, but no device has that id")
        self.entities[entity.id] = entity


class Catalogue:
    """The definitions of all installations. Devices and entities are in the order of registration."""

    def __init__(self) -> None:
        """Make an empty catalogue."""
        self.devices: dict[str, DeviceDef] = {}
        self.entities: dict[str, EntityDef] = {}
        self.owners: dict[str, str] = {}  # id of a whole device -> installation
        self.hashes: dict[str, str] = {}  # installation -> hash of its last registration
        self._by_root: dict[str, list[EntityDef]] = {}

    def owner_of(self, device_id: str) -> str | None:
        """Return the installation that serves a device or part."""
        return self.owners.get(root_of(device_id))

    def of_device(self, device_id: str) -> Iterable[EntityDef]:
        """Return the entities of a whole device and its parts, given the id of any of them."""
        return self._by_root.get(root_of(device_id), ())

    def of_installation(self, installation: str) -> Iterator[EntityDef]:
        """Yield the entities that an installation serves."""
        return (entity for entity in self.entities.values() if self.owners.get(entity.root) == installation)

    def apply(self, installation: str, new: Registration) -> tuple[list[DeviceDef], list[EntityDef]]:
        """Replace the definitions of the registered devices, and return the devices and entities that are gone.

        A device that the registration does not name stays, because it may only be asleep. If another installation
        served a registered device, the device changes hands, and the other installation's hash is dropped, so that it
        registers again when it returns.
        """
        roots = {device.root for device in new.devices.values()}
        gone_devices = [d for d in self.devices.values() if d.root in roots and d.id not in new.devices]
        gone_entities = [e for e in self.entities.values() if e.root in roots and e.id not in new.entities]
        self._drop(gone_devices, gone_entities)
        for root in roots:
            if (before := self.owners.get(root)) not in (None, installation):
                self.hashes.pop(str(before), None)
            self.owners[root] = installation
        for device in new.devices.values():  # moved to the end, so that a parent comes before its parts
            self.devices.pop(device.id, None)
            self.devices[device.id] = device
        self.entities.update(new.entities)
        self.hashes[installation] = new.hash
        self._index()
        return gone_devices, gone_entities

    def forget(self, device_ids: Iterable[str]) -> tuple[list[DeviceDef], list[EntityDef]]:
        """Drop devices and their entities, and return both. A whole device takes its parts with it."""
        ids = set(device_ids)
        devices = [d for d in self.devices.values() if d.id in ids or d.root in ids]
        dropped = {d.id for d in devices}
        entities = [e for e in self.entities.values() if e.device in dropped]
        for device in devices:
            self.hashes.pop(self.owners.get(device.root, ""), None)
        self._drop(devices, entities)
        for root in ids:
            self.owners.pop(root, None)
        self._index()
        return devices, entities

    def _drop(self, devices: list[DeviceDef], entities: list[EntityDef]) -> None:
        for device in devices:
            del self.devices[device.id]
        for entity in entities:
            del self.entities[entity.id]

    def _index(self) -> None:
        self._by_root = {}
        for entity in self.entities.values():
            self._by_root.setdefault(entity.root, []).append(entity)

    def clear(self) -> None:
        """Drop everything."""
        for part in (self.devices, self.entities, self.owners, self.hashes, self._by_root):
            part.clear()

    def to_json(self) -> Json:
        """Return everything in the form that the host stores."""
        return {
            "devices": [asdict(device) for device in self.devices.values()],
            "entities": [asdict(entity) for entity in self.entities.values()],
            "owners": self.owners,
            "hashes": self.hashes,
        }

    def load(self, stored: Json) -> None:
        """Take over what to_json returned.

        Items that this version rejects are left out, and all hashes with them, so that every plugin registers again.
        """
        read = Registration(hash="")
        read.add(stored["devices"], stored["entities"])
        self.devices, self.entities = read.devices, read.entities
        self.owners = stored["owners"]
        if not read.rejected:
            self.hashes = stored["hashes"]
        self._index()
