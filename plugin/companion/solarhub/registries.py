"""Devices and entities in Home Assistant's registries, made from the plugin's definitions."""

import asyncio
from collections.abc import Iterable
from itertools import batched, groupby
from operator import attrgetter

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import callback
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.typing import UNDEFINED

from .catalogue import Registration
from .const import DOMAIN, ENTITIES_PER_TURN
from .definitions import DeviceDef, EntityDef, Json
from .hub import Hub


async def async_restore(hub: Hub, entry: ConfigEntry) -> None:
    """Make the devices and entities of the stored definitions, before any plugin connects."""
    _make_devices(hub, entry, hub.catalogue.devices.values())
    await _async_add(hub, list(hub.catalogue.entities.values()))


async def async_register(hub: Hub, entry: ConfigEntry, installation: str, new: Registration) -> Json:
    """Make a complete registration take effect. The caller holds hub.lock."""
    rejected = new.drop_foreign(hub.catalogue.entities)
    before = {i: hub.catalogue.entities.get(i) for i in new.entities}
    moved = {d.id for d in new.devices.values() if hub.catalogue.owner_of(d.id) not in (None, installation)}
    gone_devices, gone_entities = hub.catalogue.apply(installation, new)
    hub.save()
    remove(hub, entry, gone_devices, gone_entities)
    _make_devices(hub, entry, new.devices.values())

    created = [e for e in new.entities.values() if before[e.id] is None]
    changed = [(old, e) for e in new.entities.values() if (old := before[e.id]) is not None and old != e]
    again = [entity for old, entity in changed if not await _async_redefine(hub, old, entity)]
    missing = await _async_add(hub, created + again)
    hub.display.refresh(e.id for e in new.entities.values() if e.device in moved)
    rejected += [{"id": e.id, "message": "Home Assistant did not accept it; see its log"} for e in missing]
    return {
        "created": len(created),
        "updated": len(changed),
        "removed": len(gone_entities),
        "rejected": rejected,
    }


async def _async_redefine(hub: Hub, old: EntityDef, entity: EntityDef) -> bool:
    """Change an entity in place, so that it does not become unavailable. If that is not possible, remove it.

    Home Assistant cannot move an entity to another platform or device. A disabled entity is made again, because the
    registry keeps parts of its definition.
    """
    shown = hub.display.entities.get(entity.id)
    if shown is not None and (old.platform, old.device) == (entity.platform, entity.device):
        shown.async_redefine(entity)
        return True
    if shown is not None:
        await shown.async_remove()
    if old.platform != entity.platform:
        _remove_entity(hub, old)
    return False


@callback
def remove(hub: Hub, entry: ConfigEntry, devices: Iterable[DeviceDef], entities: Iterable[EntityDef]) -> None:
    """Remove devices and entities from the registries, entities first."""
    for entity in entities:
        _remove_entity(hub, entity)
    registry = dr.async_get(hub.hass)
    for device in devices:
        hub.notices.problems(device, None)
        if found := registry.async_get_device_by_identifier((DOMAIN, device.id), entry.entry_id):
            registry.async_remove_device(found.id)


@callback
def _remove_entity(hub: Hub, entity: EntityDef) -> None:
    hub.notices.forget(entity)
    registry = er.async_get(hub.hass)
    if entity_id := registry.async_get_entity_id(entity.platform, DOMAIN, entity.id):
        registry.async_remove(entity_id)


@callback
def _make_devices(hub: Hub, entry: ConfigEntry, devices: Iterable[DeviceDef]) -> None:
    """Make or update devices, parents first, because a part is linked to its parent by the registry's own id."""
    registry = dr.async_get(hub.hass)
    for device in devices:
        parent = registry.async_get_device_by_identifier((DOMAIN, device.via), entry.entry_id) if device.via else None
        registry.async_get_or_create(
            config_entry_id=entry.entry_id,
            identifiers={(DOMAIN, device.id)},
            name=device.name,
            manufacturer=device.manufacturer,
            model=device.model,
            serial_number=device.serial_number,
            sw_version=device.sw_version,
            hw_version=device.hw_version,
            via_device_id=parent.id if parent else UNDEFINED,
        )


async def _async_add(hub: Hub, entities: list[EntityDef]) -> list[EntityDef]:
    """Add entities, and return those that Home Assistant refused.

    Home Assistant adds a list in one turn of the event loop, so the list is cut into slices. A platform's own
    async_add_entities is awaited, unlike the callback that a platform is handed at setup, because the plugin is
    answered when its entities exist.
    """
    by_platform = attrgetter("platform")
    for some in batched(entities, ENTITIES_PER_TURN, strict=False):
        for platform, group in groupby(sorted(some, key=by_platform), by_platform):
            if (slot := hub.display.platforms.get(platform)) is not None:  # None if Home Assistant could not set it up
                await slot.platform.async_add_entities([slot.make(entity) for entity in group])
        await asyncio.sleep(0)
    registry = er.async_get(hub.hass)
    return [
        e
        for e in entities
        if e.id not in hub.display.entities and registry.async_get_entity_id(e.platform, DOMAIN, e.id) is None
    ]
