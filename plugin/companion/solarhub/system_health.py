"""The lines of SolarHub under Settings, System, Repairs, System information."""

from typing import Any

from homeassistant.components import system_health
from homeassistant.core import HomeAssistant, callback

from .hub import DATA_HUB


@callback
def async_register(hass: HomeAssistant, register: system_health.SystemHealthRegistration) -> None:  # noqa: ARG001
    """Register the lines."""
    register.async_register_info(_async_info)


async def _async_info(hass: HomeAssistant) -> dict[str, Any]:
    hub = hass.data[DATA_HUB]
    sessions = [i.session for i in hub.installations.values() if i.session is not None]
    return {
        "plugins_connected": f"{len(sessions)} of {len(hub.installations)}",
        "plugin_versions": ", ".join(sorted({s.plugin_version for s in sessions})) or "-",
        "devices": len(hub.catalogue.devices),
        "entities": f"{len(hub.display.entities)} of {len(hub.catalogue.entities)}",
        "calls_pending": sum(len(s.calls) for s in sessions),
    }
