"""How a command of the plugin is declared, and when it is answered at all: PROTOCOL.md, section 3."""

from collections.abc import Callable
from functools import wraps
from time import monotonic
from typing import Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback
import voluptuous as vol

from .const import DOMAIN
from .definitions import Json
from .hub import DATA_HUB, Hub
from .session import Session

type Handler = Callable[[Hub, Session, ActiveConnection, Json], None]

_RELOAD_SECONDS: Final = 60.0  # a config entry that is not loaded again after that is disabled


def command(name: str, fields: dict[Any, Any]) -> Callable[[Any], Any]:
    """Declare a command. Fields that this version does not know are ignored."""
    schema = vol.Schema({vol.Required("type"): f"{DOMAIN}/{name}", **fields}, extra=vol.ALLOW_EXTRA)
    return websocket_api.websocket_command(vol.All(schema))


def in_session(handler: Handler) -> Any:
    """Run a handler only for the current session of an installation, on that session's connection."""

    @callback
    @wraps(handler)
    def checked(hass: HomeAssistant, connection: ActiveConnection, msg: Json) -> None:
        hub = hass.data[DATA_HUB]
        session = hub.session(msg["session"])
        if session is None or session.connection is not connection:
            connection.send_error(msg["id"], "stale_session", "This session is not the current one; say hello again.")
        elif hub.entry is None and monotonic() - hub.unloaded > _RELOAD_SECONDS:
            not_loaded(connection, msg)
        else:
            session.heard()
            handler(hub, session, connection, msg)

    return checked


@callback
def not_loaded(connection: ActiveConnection, msg: Json) -> None:
    """Answer that no config entry is loaded."""
    connection.send_error(msg["id"], "entry_not_loaded", "The integration SolarHub is not set up or is disabled.")
