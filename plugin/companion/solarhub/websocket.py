"""The commands of a session, and the registration of all commands: PROTOCOL.md, section 3."""

from typing import Final

from homeassistant.components import websocket_api
from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
import voluptuous as vol

from . import registries
from .catalogue import Registration, Rejected
from .command import command, in_session, not_loaded
from .const import DEVICES_MAX, DOMAIN, ENTITIES_PER_FRAME, GRACE_MAX, STATES_PER_FRAME
from .definitions import TEXT_MAX, EntityDef, Json
from .errors import call_error
from .hello import handle_hello
from .hub import Hub
from .session import Call, Session, clock_ms

_JSON: Final = {str: object}


@callback
def async_register_commands(hass: HomeAssistant) -> None:
    """Register all commands. None can be taken back; without an entry each answers entry_not_loaded."""
    for handler in (
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
        websocket_api.async_register_command(hass, handler)


@websocket_api.require_admin
@command(
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
@in_session
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
                not_loaded(connection, {"id": message_id})
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
@command(
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
@in_session
def handle_states(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """Take values and availability. A plain callback, so that frames keep their order."""
    unknown = hub.apply(session, msg["s"], cached=msg.get("c"), usable=msg.get("u"), devices=msg.get("d"))
    if msg.get("ready") and not session.ready:
        hub.installation(session.installation).complete(session)
    connection.send_result(msg["id"], {"unknown": unknown})


@websocket_api.require_admin
@command(
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
@in_session
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
    placeholders, name = error.get("placeholders") or {}, call.name
    if call.action == "write_group" and (member := placeholders.get("name", call.target.name)) != call.target.name:
        name = f"{name} {member}"  # only the plugin knows which of them failed
    return call_error(str(error.get("code")), name, placeholders, platform)


@websocket_api.require_admin
@command("heartbeat", {vol.Required("session"): int})
@in_session
def handle_heartbeat(_: Hub, __: Session, connection: ActiveConnection, msg: Json) -> None:
    """Answer with the companion's clock. That the plugin is alive is noted for every message of a session."""
    connection.send_result(msg["id"], {"clock_ms": clock_ms()})


@websocket_api.require_admin
@command(
    "diagnostics",
    {vol.Required("session"): int, vol.Required("request_id"): str, vol.Required("data"): _JSON},
)
@in_session
def handle_diagnostics(_: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """Take the answer to an event "diagnostics"."""
    request = session.diagnostics.pop(msg["request_id"], None)
    if request is not None and not request.done():
        request.set_result(msg["data"])
    connection.send_result(msg["id"])


@websocket_api.require_admin
@command(
    "notice",
    {
        vol.Required("session"): int,
        vol.Required("kind"): str,
        vol.Optional("entity"): str,
        vol.Optional("wanted"): vol.Any(None, bool, int, float, str),
        vol.Optional("found"): vol.Any(None, bool, int, float, str),
        vol.Optional("seconds"): vol.Any(int, float),
        vol.Optional("reason"): str,
    },
)
@in_session
def handle_notice(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """Tell the owner something. A kind or an entity that is not known is ignored."""
    kind = msg["kind"]
    if hub.serves(session, entity_id := msg.get("entity", "")):
        entity, shown = hub.catalogue.entities[entity_id], hub.display.entities.get(entity_id)
        name = shown.owner_name if shown else entity.name
        match kind:
            case "reverted" | "taken_over":
                hub.notices.changed(kind, entity, name, msg)
            case "counter":
                hub.notices.counter(entity, name, msg)
            case "clock":
                hub.notices.clock(entity, hub.catalogue.devices[entity.root], msg)
    elif kind == "cache":
        hub.notices.cache(session.installation, msg.get("reason", "")[:TEXT_MAX])
    connection.send_result(msg["id"])


@websocket_api.require_admin
@command(
    "remove",
    {vol.Required("session"): int, vol.Required("devices"): vol.All([str], vol.Length(max=DEVICES_MAX))},
)
@in_session
def handle_remove(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """Remove devices with their parts and entities, if this installation serves them."""
    hub.hass.async_create_background_task(
        _async_remove(hub, session, connection, msg), f"{DOMAIN} remove", eager_start=True
    )


async def _async_remove(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    async with hub.lock:
        if hub.entry is None:
            not_loaded(connection, msg)
            return
        own = {i for i in msg["devices"] if hub.catalogue.owner_of(i) == session.installation}
        devices, entities = hub.catalogue.forget(own)
        hub.save()
        registries.remove(hub, hub.entry, devices, entities)
    unknown = [i for i in msg["devices"] if i not in own]
    connection.send_result(msg["id"], {"removed": len(devices), "unknown": unknown})


@websocket_api.require_admin
@command(
    "bye", {vol.Required("session"): int, vol.Required("reason"): str, vol.Required("back_in_ms"): vol.Range(min=0)}
)
@in_session
def handle_bye(hub: Hub, session: Session, connection: ActiveConnection, msg: Json) -> None:
    """End a session as planned."""
    seconds = min(msg["back_in_ms"] / 1000, GRACE_MAX)
    session.fail_calls()  # the plugin has ended them
    hub.installation(session.installation).lose(session, f"it stops ({msg['reason']})", seconds)
    connection.send_result(msg["id"])
