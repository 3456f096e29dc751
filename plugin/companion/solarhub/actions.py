"""The actions of SolarHub, which always say whether they were carried out.

Home Assistant drops unavailable entities from the target of its own actions and reports success. These actions take an
entity_id as an ordinary field instead, and check themselves whether the caller may use it. A value that is no entity is
named by its device and its key.
"""

from math import isfinite
from typing import Any, Final

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID, Platform
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import config_validation as cv, device_registry as dr, entity_registry as er
import voluptuous as vol

from .const import DOMAIN, REFRESH_SECONDS
from .definitions import TEXT_MAX, DeviceDef, EntityDef, Json, root_of
from .errors import call_error
from .hub import DATA_HUB
from .words import shown_options

_EXACT_MAX: Final = 2**53  # a larger whole number may not be exact in JSON
_SWITCHED: Final = {"on": True, "true": True, "off": False, "false": False}
_KEY: Final = vol.All(str, vol.Length(min=1, max=TEXT_MAX))
_VALUE: Final = vol.Any(bool, int, float, vol.All(str, vol.Length(max=TEXT_MAX)))
_MEMBERS_MAX: Final = 125  # registers that one request writes


def _one_target(data: Json) -> Json:
    """Demand an entity, or a device and a key."""
    named = {ATTR_ENTITY_ID, ATTR_DEVICE_ID, "key"} & data.keys()
    if named not in ({ATTR_ENTITY_ID}, {ATTR_DEVICE_ID, "key"}):
        raise vol.Invalid("give either an entity_id, or a device_id and a key")
    return data


def _of_one_value(fields: dict[Any, Any]) -> Any:
    """Return the schema of an action on one value."""
    target = {vol.Optional(ATTR_ENTITY_ID): cv.entity_id, vol.Optional(ATTR_DEVICE_ID): str, vol.Optional("key"): _KEY}
    return vol.All(vol.Schema(target | fields), _one_target)


@callback
def async_register_actions(hass: HomeAssistant) -> None:
    """Register write_value, write_group, read_value and refresh."""
    hass.services.async_register(
        DOMAIN,
        "write_value",
        _async_write_value,
        _of_one_value({vol.Required("value"): _VALUE, vol.Optional("force", default=False): cv.boolean}),
        SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(
        DOMAIN,
        "write_group",
        _async_write_group,
        vol.Schema(
            {
                vol.Required(ATTR_DEVICE_ID): str,
                vol.Required("group"): _KEY,
                vol.Required("values"): vol.All({_KEY: _VALUE}, vol.Length(min=1, max=_MEMBERS_MAX)),
                vol.Optional("force", default=False): cv.boolean,
            }
        ),
        SupportsResponse.OPTIONAL,
    )
    hass.services.async_register(DOMAIN, "read_value", _async_read_value, _of_one_value({}), SupportsResponse.ONLY)
    hass.services.async_register(
        DOMAIN, "refresh", _async_refresh, vol.Schema({vol.Required(ATTR_DEVICE_ID): cv.string})
    )


async def _async_write_value(call: ServiceCall) -> ServiceResponse:
    """Write a value, and return the value that the device holds afterwards."""
    entity, name = await _async_target(call)
    answer = await call.hass.data[DATA_HUB].async_call(
        entity,
        "set",
        name,
        context=call.context,
        value=_for_platform(entity, name, call.data["value"]),
        force=call.data["force"],
    )
    if answer.get("superseded"):
        raise call_error("superseded", name, {"value": answer.get("value")})
    return {"value": _as_shown(call, entity, answer.get("value"))} if call.return_response else None


async def _async_write_group(call: ServiceCall) -> ServiceResponse:
    """Write settings that leave together in one request, and return what the device holds afterwards."""
    hub, (device, name) = call.hass.data[DATA_HUB], _device(call)
    await _async_authorise(call, None)
    values: Json = {}
    for named, value in call.data["values"].items():
        member = _member(call, device, named)
        values[member.key] = _for_platform(member, f"{name} {member.key}", value)
    answer = await hub.async_call(
        device,
        "write_group",
        name,
        context=call.context,
        group=call.data["group"],
        values=values,
        force=call.data["force"],
    )
    members = (answer.get("response") or {}).get("members") or {}
    shown = {
        key: held | {"value": _as_shown(call, _point(call, device, key), held.get("value"))}
        for key, held in members.items()
    }
    return {"members": shown} if call.return_response else None


async def _async_read_value(call: ServiceCall) -> ServiceResponse:
    """Read a value from the device now."""
    entity, name = await _async_target(call)
    answer = await call.hass.data[DATA_HUB].async_call(entity, "read", name, context=call.context)
    response = dict(answer.get("response") or {})
    return response | {"value": _as_shown(call, entity, response.get("value"))}


def _as_shown(call: ServiceCall, entity: EntityDef, value: Any) -> Any:
    """Return a value as the state of the entity shows it."""
    options = shown_options(entity, call.hass.data[DATA_HUB].words)
    return options.get(value, value) if isinstance(value, str) else value


async def _async_refresh(call: ServiceCall) -> None:
    """Read all enabled registers of a device now."""
    device, name = _device(call)
    await _async_authorise(call, None)
    await call.hass.data[DATA_HUB].async_call(device, "refresh", name, context=call.context, seconds=REFRESH_SECONDS)


def _device(call: ServiceCall) -> tuple[DeviceDef, str]:
    """Return the whole device of an action, and what the owner calls the device or the part that was named."""
    device_id: str = call.data[ATTR_DEVICE_ID]
    found = dr.async_get(call.hass).async_get(device_id)
    ids = [identifier for domain, identifier in found.identifiers if domain == DOMAIN] if found else []
    device = call.hass.data[DATA_HUB].catalogue.devices.get(root_of(ids[0])) if ids else None
    if found is None or device is None:
        raise call_error("unknown_entity", device_id, {"id": device_id})
    return device, found.name_by_user or found.name or device.name


def _point(call: ServiceCall, device: DeviceDef, key: str) -> EntityDef:
    """Return what a device has under a key. If that is no entity, only the plugin knows what it is."""
    known = call.hass.data[DATA_HUB].catalogue.entities.get(f"{device.id}_{key}")
    return known or EntityDef.unlisted(device, key)


def _member(call: ServiceCall, device: DeviceDef, named: str) -> EntityDef:
    """Return a member of a group, which is named by its key or as an entity of the device."""
    if "." not in named:
        return _point(call, device, named)
    entry = er.async_get(call.hass).async_get(named)
    entity = call.hass.data[DATA_HUB].catalogue.entities.get(entry.unique_id) if entry else None
    if entry is None or entry.platform != DOMAIN or entity is None or entity.root != device.id:
        raise call_error("unknown_entity", named, {"id": named})
    return entity


async def _async_target(call: ServiceCall) -> tuple[EntityDef, str]:
    """Return the entity of an action, or what stands for a value that is none, and what the owner calls it.

    It may be disabled or unavailable.
    """
    if ATTR_ENTITY_ID in call.data:
        return await _async_entity(call, call.data[ATTR_ENTITY_ID])
    device, name = _device(call)
    point = _point(call, device, call.data["key"])
    if entity_id := er.async_get(call.hass).async_get_entity_id(point.platform, DOMAIN, point.id):
        return await _async_entity(call, entity_id)
    await _async_authorise(call, None)
    return point, f"{name} {point.key}"


async def _async_entity(call: ServiceCall, entity_id: str) -> tuple[EntityDef, str]:
    entry = er.async_get(call.hass).async_get(entity_id)
    entity = call.hass.data[DATA_HUB].catalogue.entities.get(entry.unique_id) if entry else None
    if entry is None or entry.platform != DOMAIN or entity is None:
        raise call_error("unknown_entity", entity_id, {"id": entity_id})
    await _async_authorise(call, entity_id)
    state = call.hass.states.get(entity_id)
    return entity, state.name if state else entry.name or entity.name


async def _async_authorise(call: ServiceCall, entity_id: str | None) -> None:
    """Check what Home Assistant checks for its own actions on an entity. None stands for all entities."""
    if call.context.user_id is None:
        return
    if (user := await call.hass.auth.async_get_user(call.context.user_id)) is None:
        raise UnknownUser(context=call.context)
    allowed = (
        user.permissions.access_all_entities(POLICY_CONTROL)
        if entity_id is None
        else user.permissions.check_entity(entity_id, POLICY_CONTROL)
    )
    if not allowed:
        raise Unauthorized(context=call.context, entity_id=entity_id, permission=POLICY_CONTROL)


def _for_platform(entity: EntityDef, name: str, value: Any) -> Any:
    """Return a value in the type that the contract has for the platform. YAML and the text field of a form give others.

    YAML reads 22:00 without quotes as 22 * 60; that is taken for the time of day that it was meant to be.
    """
    try:
        match entity.platform:
            case Platform.NUMBER:
                return _number(entity, name, value)
            case Platform.SWITCH:
                return value if isinstance(value, bool) else _SWITCHED[str(value).lower()]
            case Platform.TIME:
                if isinstance(value, int) and 0 <= value < 24 * 60:
                    return f"{value // 60:02}:{value % 60:02}"
                at = cv.time(value)
                return at.isoformat("seconds" if at.second else "minutes")
            case Platform.SELECT | Platform.TEXT:
                return entity.slug(str(value))
    except ValueError, KeyError, OverflowError, vol.Invalid:
        raise call_error("wrong_type", name, {"value": value}, entity.platform) from None
    return value  # the plugin knows what it is, or says why it cannot be set


def _number(entity: EntityDef, name: str, value: Any) -> float:
    """Return a value as a number that JSON can carry exactly. The plugin checks the range, of which this is far out."""
    if isinstance(value, bool) or not isfinite(number := float(value)):
        raise ValueError(value)
    if abs(number) > _EXACT_MAX:
        limits = {"min": entity.min, "max": entity.max, "unit": entity.unit or ""}
        raise call_error("out_of_range", name, {"value": value} | limits)
    return int(number) if number.is_integer() else number
