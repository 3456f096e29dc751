"""The commands of the plugin: PROTOCOL.md, section 3."""

from collections.abc import Callable
from functools import wraps
from time import monotonic
from typing import Any, Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.const import __version__ as ha_version
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
import voluptuous as vol

from . import registries
from .catalogue import Registration, Rejected
from .const import (
    DEVICES_MAX,
    DOMAIN,
    ENTITIES_PER_FRAME,
    GRACE_MAX,
    HEARTBEAT,
    PROTOCOL_MAX,
    PROTOCOL_MIN,
    STATES_PER_FRAME,
)
from .definitions import TEXT_MAX, EntityDef, Json, root_of
from .errors import call_error
from .hub import DATA_HUB, Hub
from .session import Call, Session, Snapshot, clock_ms

type Handler = Callable[[Hub, Session, ActiveConnection, Json], None]

_JSON: Final = {str: object}
_RELOAD_SECONDS: Final = 60.0  # a config entry that is not loaded again after that is disabled


@callback
def async_register_commands(hass: HomeAssistant) -> None:
    """Register all commands. They cannot be taken back, and answer entry_not_loaded without a loaded config entry."""
    for command in (
        handle_hello,
        handle_register,
        handle_states,
        handle_result,
        handle_heartbeat,
        handle_diagnostics,
        handle_notice,
        handle_remove,
        handle_bye,
    ):
        websocket_api.async_register_command(hass, command)


def _command(name: str, fields: dict[Any, Any]) -> Callable[[Any], Any]:
    """Declare a command. Fields that this version does not know are ignored."""
    schema = vol.Schema({vol.Required("type"): f"{DOMAIN}/{name}", **fields}, extra=vol.ALLOW_EXTRA)
    return websocket_api.websocket_command(vol.All(schema))


def _in_session(handler: Handler) -> Any:
    """Run a handler only for the current session of an installation, on that session's connection."""

    @callback
    @wraps(handler)
    def checked(hass: HomeAssistant, connection: ActiveConnection, msg: Json) -> None:
        hub = hass.data[DATA_HUB]
        session = hub.session(msg["session"])
        if session is None or session.connection is not connection:
            connection.send_error(msg["id"], "stale_session", "This session is not the current one; say hello again.")
        elif hub.entry is None and monotonic() - hub.unloaded > _RELOAD_SECONDS:
            _not_loaded(connection, msg)
        else:
            session.heard()
            handler(hub, session, connection, msg)

    return checked


def _not_loaded(connection: ActiveConnection, msg: Json) -> None:
    connection.send_error(msg["id"], "entry_not_loaded", "The integration SolarHub is not set up or is disabled.")


@websocket_api.require_admin
@_command(
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
        _not_loaded(connection, msg)
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
        _not_loaded(connection, msg)
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


@websocket_api.require_admin
@_command(
    "register",
    {
        vol.Required("session"): int,
        vol.Required("seq"): int,
        vol.Required("last"): bool,
        vol.Required("hash"): vol.All(str, vol.Length(max=TEXT_MAX)),
        vol.Required("devices"): vol.All([_JSON], vol.Length(max=DEVICES_MAX)),
        vol.Required("entities"): vol.All([_JSON], vol.Length(max=ENTITIES_PER_FRAME)),
    },
)
@_in_session
def handle_register(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """Take one frame of a registration; with the last one it takes effect."""
    if msg["seq"] == 0:
        session.registration = Registration(hash=msg["hash"])
    new = session.registration
    if new is None or new.frames != msg["seq"] or new.hash != msg["hash"]:
        session.registration = None
        connection.send_error(msg["id"], "bad_sequence", "This frame does not follow the last one; begin with seq 0.")
        return
    rejected = new.add(msg["devices"], msg["entities"])
    if not msg["last"]:
        connection.send_result(msg["id"], {"created": 0, "updated": 0, "removed": 0, "rejected": rejected})
        return
    session.registration = None
    hub.hass.async_create_background_task(
        _async_register(hub, session, connection, msg["id"], new, rejected), f"{DOMAIN} register", eager_start=True
    )


async def _async_register(
    hub: Hub,
    session: Session,
    connection: ActiveConnection,
    message_id: int,
    new: Registration,
    rejected: list[Rejected],
) -> None:
    """Make a registration take effect, and answer when its entities exist."""
    try:
        async with hub.lock:
            if hub.entry is None:
                _not_loaded(connection, {"id": message_id})
                return
            if not session.alive:
                connection.send_error(message_id, "stale_session", "This session is not the current one any more.")
                return
            session.snapshot.served |= {device.root for device in new.devices.values()}
            done = await registries.async_register(hub, hub.entry, session.installation, new)
    except Exception as err:  # the plugin waits for an answer
        connection.async_handle_exception({"id": message_id}, err)
        return
    if session.alive:
        hub.send_disabled(session)  # before the answer, so that nothing is polled that nobody looks at
    connection.send_result(message_id, done | {"rejected": rejected + done["rejected"]})


@websocket_api.require_admin
@_command(
    "states",
    {
        vol.Required("session"): int,
        vol.Required("s"): vol.All(_JSON, vol.Length(max=STATES_PER_FRAME)),
        vol.Optional("c"): {str: str},
        vol.Optional("u"): {str: bool},
        vol.Optional("d"): {str: _JSON},
        vol.Optional("ready"): bool,
    },
)
@_in_session
def handle_states(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """Take values and availability. A plain callback, so that frames keep their order."""
    unknown = hub.apply(session, msg["s"], cached=msg.get("c"), usable=msg.get("u"), devices=msg.get("d"))
    if msg.get("ready") and not session.ready:
        hub.installation(session.installation).complete(session)
    connection.send_result(msg["id"], {"unknown": unknown})


@websocket_api.require_admin
@_command(
    "result",
    {
        vol.Required("session"): int,
        vol.Required("call_id"): str,
        vol.Required("ok"): bool,
        vol.Optional("value"): object,
        vol.Optional("superseded"): bool,
        vol.Optional("response"): vol.Any(None, _JSON),
        vol.Optional("error"): vol.Any(None, _JSON),
        vol.Optional("s"): vol.Any(None, _JSON),
    },
)
@_in_session
def handle_result(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """Show what was read back, as an act of the caller, and then tell the caller."""
    call = session.calls.pop(msg["call_id"], None)
    hub.apply(session, msg.get("s") or {}, context=call.context if call else None)
    if call is not None and not call.answer.done():
        call.answer.set_result(msg if msg["ok"] else _error_of(call, msg.get("error") or {}))
        if msg["ok"] and call.action == "set" and isinstance(call.target, EntityDef):
            hub.notices.was_set(call.target)
    connection.send_result(msg["id"])


def _error_of(call: Call, error: Json) -> HomeAssistantError:
    platform = call.target.platform if isinstance(call.target, EntityDef) else None
    return call_error(str(error.get("code")), call.name, error.get("placeholders"), platform)


@websocket_api.require_admin
@_command("heartbeat", {vol.Required("session"): int})
@_in_session
def handle_heartbeat(_: Hub, __: Session, connection: ActiveConnection, msg: Json) -> None:
    """Answer with the companion's clock. That the plugin is alive is noted for every message of a session."""
    connection.send_result(msg["id"], {"clock_ms": clock_ms()})


@websocket_api.require_admin
@_command(
    "diagnostics",
    {vol.Required("session"): int, vol.Required("request_id"): str, vol.Required("data"): _JSON},
)
@_in_session
def handle_diagnostics(_: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """Take the answer to an event "diagnostics"."""
    request = session.diagnostics.pop(msg["request_id"], None)
    if request is not None and not request.done():
        request.set_result(msg["data"])
    connection.send_result(msg["id"])


@websocket_api.require_admin
@_command(
    "notice",
    {
        vol.Required("session"): int,
        vol.Required("kind"): str,
        vol.Optional("entity"): str,
        vol.Optional("wanted"): vol.Any(None, bool, int, float, str),
        vol.Optional("found"): vol.Any(None, bool, int, float, str),
        vol.Optional("seconds"): vol.Any(int, float),
    },
)
@_in_session
def handle_notice(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """Tell the owner something. A kind or an entity that is not known is ignored."""
    if msg["kind"] == "reverted" and hub.serves(session, entity_id := msg.get("entity", "")):
        entity, shown = hub.catalogue.entities[entity_id], hub.display.entities.get(entity_id)
        hub.notices.reverted(entity, shown.owner_name if shown else entity.name, msg)
    connection.send_result(msg["id"])


@websocket_api.require_admin
@_command(
    "remove",
    {vol.Required("session"): int, vol.Required("devices"): vol.All([str], vol.Length(max=DEVICES_MAX))},
)
@_in_session
def handle_remove(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """Remove devices with their parts and entities, if this installation serves them."""
    hub.hass.async_create_background_task(
        _async_remove(hub, session, connection, msg), f"{DOMAIN} remove", eager_start=True
    )


async def _async_remove(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    async with hub.lock:
        if hub.entry is None:
            _not_loaded(connection, msg)
            return
        own = {i for i in msg["devices"] if hub.catalogue.owner_of(i) == session.installation}
        devices, entities = hub.catalogue.forget(own)
        hub.save()
        registries.remove(hub, hub.entry, devices, entities)
    unknown = [i for i in msg["devices"] if i not in own]
    connection.send_result(msg["id"], {"removed": len(devices), "unknown": unknown})


@websocket_api.require_admin
@_command(
    "bye", {vol.Required("session"): int, vol.Required("reason"): str, vol.Required("back_in_ms"): vol.Range(min=0)}
)
@_in_session
def handle_bye(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """End a session as planned."""
    seconds = min(msg["back_in_ms"] / 1000, GRACE_MAX)
    hub.installation(session.installation).lose(session, f"it stops ({msg['reason']})", seconds)
    connection.send_result(msg["id"])
