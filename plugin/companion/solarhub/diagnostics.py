"""Diagnostics that a person can download to ask for help. They contain no serial numbers and no secrets."""

import re
from time import monotonic
from typing import Any

from homeassistant.components.diagnostics import async_redact_data
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntry

from .catalogue import Catalogue
from .const import DOMAIN
from .definitions import Json, root_of
from .hub import DATA_HUB, Hub
from .installation import Installation

_SECRET = {"access_token", "latitude", "longitude", "password", "serial", "serial_number", "token"}


async def async_get_config_entry_diagnostics(hass: HomeAssistant, entry: ConfigEntry) -> Json:
    """Return everything that the companion and its plugins know."""
    hub = hass.data[DATA_HUB]
    found = {
        "options": dict(entry.options),
        "companion_version": hub.version,
        "installations": [await _async_installation(hub, i) for i in hub.installations.values()],
        "definitions": hub.catalogue.to_json(),
    }
    return _without_secrets(found, hub.catalogue)


async def async_get_device_diagnostics(hass: HomeAssistant, _: ConfigEntry, device: DeviceEntry) -> Json:
    """Return what is known about one device and about the installation that serves it."""
    hub = hass.data[DATA_HUB]
    ids = {identifier for domain, identifier in device.identifiers if domain == DOMAIN}
    owners = {hub.catalogue.owner_of(i) for i in ids}
    found = {
        "companion_version": hub.version,
        "installations": [await _async_installation(hub, i) for i in hub.installations.values() if i.name in owners],
        "entities": {e.id: hub.state_of(e)._asdict() for e in hub.catalogue.entities.values() if e.device in ids},
    }
    return _without_secrets(found, hub.catalogue)


async def _async_installation(hub: Hub, installation: Installation) -> Json:
    session = installation.session
    return {
        "name": installation.name,
        "visible": installation.visible,
        "hash": hub.catalogue.hashes.get(installation.name),
        "online": dict(installation.snapshot.online),
        "reasons": dict(installation.snapshot.reasons),
        "session": session
        and {
            "plugin_version": session.plugin_version,
            "protocol": session.protocol,
            "epoch": session.epoch,
            "ready": session.ready,
            "seconds_connected": round(monotonic() - session.began),
            "seconds_silent": round(monotonic() - session.last_message, 1),
            "calls_pending": len(session.calls),
            "disabled": len(session.disabled or ()),
        },
        "plugin": session and await session.async_diagnostics(),
    }


def _without_secrets(found: Json, catalogue: Catalogue) -> Json:
    """Replace device ids, which are serial numbers and part of every entity's id, by "device 1" and so on."""
    ids = {root_of(i) for i in catalogue.devices} | {d.serial_number for d in catalogue.devices.values()}
    names = {i: f"device {n}" for n, i in enumerate(sorted(filter(None, ids)), 1)}
    longest_first = "|".join(re.escape(i) for i in sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{longest_first or '(?!)'})(?![A-Za-z0-9])")

    def clean(item: Any) -> Any:
        match item:
            case dict():
                return {clean(key): clean(value) for key, value in item.items()}
            case list() | tuple():
                return [clean(value) for value in item]
            case str():
                return pattern.sub(lambda hit: names[hit[0]], item)
        return item

    result: Json = clean(async_redact_data(found, _SECRET))
    return result
