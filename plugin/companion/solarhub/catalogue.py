"""The catalogue of definitions: how a registration changes it, and how the host stores it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field

from .const import DEVICES_MAX, ENTITIES_MAX
from .definitions import TEXT_MAX, DefinitionError, DeviceDef, EntityDef, Json, root_of

type Rejected = dict[str, str]  # id and message of an item that failed a check


@dataclass(slots=True)
class Registration:
    """One registration, frame by frame."""

    hash: str
    frames: int = 0
    devices: dict[str, DeviceDef] = field(default_factory=dict)
    entities: dict[str, EntityDef] = field(default_factory=dict)

    def add(self, devices: list[Json], entities: list[Json]) -> list[Rejected]:
        """Add the items of the next frame, and return those that fail a check."""
        self.frames += 1
        tries = [self._try(item, self._add_device) for item in devices]
        tries += [self._try(item, self._add_entity) for item in entities]
        return [rejected for rejected in tries if rejected is not None]

    def _try(self, item: Json, add: Callable[[Json], None]) -> Rejected | None:
        try:
            add(item)
        except DefinitionError as err:
            return {"id": str(item.get("id", ""))[:TEXT_MAX], "message": str(err)}
        return None

    def _add_device(self, item: Json) -> None:
        device = DeviceDef.parse(item)
        if device.id in self.devices:
            raise DefinitionError("this device occurs twice")
        if device.via is not None and device.via not in self.devices:
            raise DefinitionError(f"via is {device.via!r}, but no earlier device has that id")
        if len(self.devices) >= DEVICES_MAX:
            raise DefinitionError(f"at most {DEVICES_MAX} devices are allowed")
        self.devices[device.id] = device

    def _add_entity(self, item: Json) -> None:
        entity = EntityDef.parse(item)
        if entity.id in self.entities:
            raise DefinitionError("this entity occurs twice")
        if entity.device not in self.devices:
            raise DefinitionError(f"device is {entity.device!r}, but no device has that id")
        if len(self.entities) >= ENTITIES_MAX:
            raise DefinitionError(f"at most {ENTITIES_MAX} entities are allowed")
        self.entities[entity.id] = entity

    def drop_foreign(self, known: Mapping[str, EntityDef]) -> list[Rejected]:
        """Drop entities whose ids belong to entities of other devices, and return them as rejected.

        The ids of the devices "A" and "A_B" can collide: the entity "A_B_x" may be one of either.
        """
        roots = {device.root for device in self.devices.values()}
        foreign = [i for i, e in self.entities.items() if i in known and known[i].root not in {e.root, *roots}]
        for entity_id in foreign:
            del self.entities[entity_id]
        return [{"id": i, "message": f"this id belongs to an entity of the device {known[i].root!r}"} for i in foreign]


class Catalogue:
    """The definitions of all installations. Devices and entities are in the order of registration."""

    def __init__(self) -> None:
        """Make an empty catalogue."""
        self.devices: dict[str, DeviceDef] = {}
        self.entities: dict[str, EntityDef] = {}
        self.owners: dict[str, str] = {}  # id of a whole device -> installation
        self.hashes: dict[str, str] = {}  # installation -> hash of its last registration
        self.deleted: dict[str, str] = {}  # device or part that the owner deleted -> installation that served it
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

        A device that the registration does not name stays, because it may only be asleep. Only a pending one goes: it
        has said who it is, or is not in the configuration any more. If another installation served a registered device,
        the device changes hands, and the other installation's hash is dropped, so that it registers again when it
        returns.
        """
        roots = {device.root for device in new.devices.values()}
        own = {d.id for d in self.devices.values() if d.pending and self.owners.get(d.root) == installation}
        gone_devices = [d for d in self.devices.values() if d.root in roots | own and d.id not in new.devices]
        gone_entities = [e for e in self.entities.values() if e.root in roots | own and e.id not in new.entities]
        self._drop(gone_devices, gone_entities)
        for root in own - roots:
            self.owners.pop(root, None)
        for root in roots:
            if (before := self.owners.get(root)) not in (None, installation):
                self.hashes.pop(str(before), None)
            self.owners[root] = installation
        for device in new.devices.values():  # moved to the end, so that a parent comes before its parts
            self.devices.pop(device.id, None)
            self.devices[device.id] = device
            self.deleted.pop(device.id, None)
        self.entities.update(new.entities)
        self.hashes[installation] = new.hash
        self._index()
        return gone_devices, gone_entities

    def delete(self, device_ids: Iterable[str]) -> tuple[list[DeviceDef], list[EntityDef]]:
        """Forget devices that the owner deleted, and remember that until they are registered again."""
        for device_id in device_ids:
            if (owner := self.owner_of(device_id)) is not None:
                self.deleted[device_id] = owner
        return self.forget(device_ids)

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
        for part in (self.devices, self.entities, self.owners, self.hashes, self.deleted, self._by_root):
            part.clear()

    def to_json(self) -> Json:
        """Return everything in the form that the host stores."""
        return {
            "devices": [asdict(device) for device in self.devices.values()],
            "entities": [asdict(entity) for entity in self.entities.values()],
            "owners": self.owners,
            "hashes": self.hashes,
            "deleted": self.deleted,
        }

    def load(self, stored: Json) -> None:
        """Take over what to_json returned.

        Items that this version rejects are left out, and all hashes with them, so that every plugin registers again. So
        is anything that is not there, because an older or a newer version may have stored it.
        """
        read = Registration(hash="")
        rejected = read.add(stored.get("devices", []), stored.get("entities", []))
        self.devices, self.entities = read.devices, read.entities
        self.owners = stored.get("owners", {})
        self.deleted = stored.get("deleted", {})
        if not rejected:
            self.hashes = stored.get("hashes", {})
        self._index()
