"""The command hello, which opens a session: PROTOCOL.md, sections 2 and 3."""

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.const import __version__ as ha_version
from homeassistant.core import HomeAssistant, callback
import voluptuous as vol

from .command import command, not_loaded
from .const import DEVICES_MAX, DOMAIN, HEARTBEAT, PROTOCOL_MAX, PROTOCOL_MIN
from .definitions import TEXT_MAX, Json, root_of
from .hub import DATA_HUB, Hub
from .session import Session, Snapshot, clock_ms


@websocket_api.require_admin
@command(
    "hello",
    {
        vol.Required("protocol"): vol.Schema(
            {vol.Required("min"): int, vol.Required("max"): int}, extra=vol.ALLOW_EXTRA
        ),
        vol.Required("plugin_version"): vol.All(str, vol.Length(max=TEXT_MAX)),
        vol.Required("installation"): vol.All(str, vol.Length(min=1, max=64)),
        vol.Required("epoch"): int,
        vol.Required("devices"): vol.All([vol.All(str, vol.Length(max=TEXT_MAX))], vol.Length(max=DEVICES_MAX)),
    },
)
@callback
def handle_hello(hass: HomeAssistant, connection: ActiveConnection, msg: Json) -> None:
    """Open a session, whose events then go out under the id of this message.

    If another process is connected under the same name, it keeps its place as long as it is alive.
    """
    hub = hass.data[DATA_HUB]
    if hub.entry is None:
        not_loaded(connection, msg)
        return
    if (protocol := _agree(hub, msg)) is None:
        theirs = msg["protocol"]
        old = "plugin" if theirs["max"] < PROTOCOL_MIN else "companion"
        text = (
            f"The {old} is too old: the plugin speaks protocol {theirs['min']} to {theirs['max']}, "
            f"the companion {PROTOCOL_MIN} to {PROTOCOL_MAX}."
        )
        connection.send_error(msg["id"], "incompatible_protocol", text)
        return
    hub.drop_idle()
    if _other_process(hub, msg) is None:
        _open(hub, connection, msg, protocol)
    else:
        hub.hass.async_create_background_task(
            _async_challenge(hub, connection, msg, protocol), f"{DOMAIN} hello", eager_start=True
        )


@callback
def _other_process(hub: Hub, msg: Json) -> Session | None:
    """Return the session of another process that is connected under the name of a hello."""
    session = hub.installation(msg["installation"]).session
    return None if session is None or session.epoch == msg["epoch"] else session


async def _async_challenge(hub: Hub, connection: ActiveConnection, msg: Json, protocol: int) -> None:
    """Open the session of a newcomer unless the plugin that is connected under the same name is alive."""
    name = msg["installation"]
    while (connected := _other_process(hub, msg)) is not None:
        if await connected.async_probe():
            hub.notices.duplicate(name)
            text = f"Another SolarHub is connected as {name}. Give each its own name."
            connection.send_error(msg["id"], "installation_in_use", text)
            return
        if _other_process(hub, msg) is connected:
            break
    if hub.entry is None:
        not_loaded(connection, msg)
    else:
        _open(hub, connection, msg, protocol)


@callback
def _open(hub: Hub, connection: ActiveConnection, msg: Json, protocol: int) -> None:
    """Make a session the current one of its installation, and answer its hello."""
    name = msg["installation"]
    installation = hub.installation(name)
    session = Session(
        number=hub.next_session(),
        installation=name,
        epoch=msg["epoch"],
        plugin_version=msg["plugin_version"],
        protocol=protocol,
        connection=connection,
        message_id=msg["id"],
        snapshot=Snapshot(served={root_of(device) for device in msg["devices"]}),
    )
    installation.open(session)
    connection.subscriptions[msg["id"]] = lambda: installation.lose(session, "the connection was lost")
    session.disabled = hub.disabled(name)
    connection.send_result(
        msg["id"],
        {
            "protocol": protocol,
            "companion_version": hub.version,
            "ha_version": ha_version,
            "session": session.number,
            "hash": hub.catalogue.hashes.get(name),
            "disabled": session.disabled,
            "deleted": sorted(i for i, owner in hub.catalogue.deleted.items() if owner == name),
            "heartbeat_ms": round(HEARTBEAT * 1000),
            "grace_ms": round(hub.grace() * 1000),
            "clock_ms": clock_ms(),
        },
    )


@callback
def _agree(hub: Hub, msg: Json) -> int | None:
    """Return the highest protocol that both sides know. If there is none, tell the owner which side to update."""
    theirs, names = msg["protocol"], {"installation": msg["installation"], "plugin": msg["plugin_version"]}
    hub.notices.version("plugin_too_old", theirs["max"] < PROTOCOL_MIN, names | {"companion": hub.version})
    hub.notices.version("companion_too_old", theirs["min"] > PROTOCOL_MAX, names | {"companion": hub.version})
    highest = min(theirs["max"], PROTOCOL_MAX)
    return highest if highest >= max(theirs["min"], PROTOCOL_MIN) else None
