"""SolarHub inside Home Assistant: the plugin dials in over the WebSocket API and brings its devices."""

from time import monotonic

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.typing import ConfigType
from homeassistant.loader import async_get_integration

from . import actions, registries, websocket
from .const import DOMAIN, PLATFORMS
from .display import Display
from .hub import DATA_HUB, Hub, SolarHubConfigEntry

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)


async def async_setup(hass: HomeAssistant, _: ConfigType) -> bool:
    """Make the hub, which outlives config entries, and register commands and actions."""
    integration = await async_get_integration(hass, DOMAIN)
    hub = hass.data[DATA_HUB] = Hub(hass, str(integration.version))
    await hub.async_load()
    websocket.async_register_commands(hass)
    actions.async_register_actions(hass)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: SolarHubConfigEntry) -> bool:
    """Make the entities of the stored definitions, and ask plugins that are connected for all states."""
    hub = hass.data[DATA_HUB]
    async with hub.lock:
        entry.runtime_data = hub.display = Display(hass)
        await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
        await registries.async_restore(hub, entry)
        hub.entry = entry
    for installation in hub.installations.values():
        if (session := installation.session) is not None:
            hub.send_disabled(session)
            session.send("resync")
    return True


async def async_unload_entry(hass: HomeAssistant, entry: SolarHubConfigEntry) -> bool:
    """Remove the entities. Sessions go on, because most unloads are the first half of a reload."""
    hub = hass.data[DATA_HUB]
    async with hub.lock:
        if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
            return False
        hub.entry, hub.unloaded = None, monotonic()
    return True


async def async_remove_entry(hass: HomeAssistant, _: ConfigEntry) -> None:
    """Forget all definitions."""
    await hass.data[DATA_HUB].async_clear()


async def async_remove_config_entry_device(hass: HomeAssistant, entry: ConfigEntry, device: DeviceEntry) -> bool:
    """Forget a device that the owner deletes, and tell the plugin, now or with its next hello."""
    hub = hass.data[DATA_HUB]
    ids = [identifier for domain, identifier in device.identifiers if domain == DOMAIN]
    async with hub.lock:
        owners = {hub.catalogue.owner_of(i) for i in ids}
        devices, entities = hub.catalogue.delete(ids)
        hub.save()
        registries.remove(hub, entry, devices, entities)
    for name in owners:
        if (installation := hub.installations.get(name or "")) and installation.session is not None:
            installation.session.send("removed", devices=ids)
    return True
