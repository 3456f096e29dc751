"""Puts a control back that shows a value which was refused.

A person types 9999 into a number box, the device refuses it, and a toast says so. The state never changed, so the box
has no reason to be drawn anew, and goes on showing 9999: neither the same state again, nor another attribute, nor a
forced update changes that, because the frontend compares the value it was given last with the one it is given now.

The cure speaks to the one browser that shows the wrong value. The action came in on its WebSocket connection, and that
connection listens to state_changed. These listeners alone are told of two changes: to the value that the control shows
already, and a moment later back to what is true. The state machine, the recorder, automations and all other browsers
see nothing of it. Connections with a long-lived token are left alone: those are programs, which might believe it.

Two details of Home Assistant are used that are not promised: current_connection holds the connection in whose task an
action runs, and what connection.subscriptions holds for an event is a partial with the event's type and its job. Where
they are not found, nothing happens, and the toast is all that the person gets.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from homeassistant.auth.models import TOKEN_TYPE_NORMAL
from homeassistant.components.websocket_api import ActiveConnection, current_connection
from homeassistant.const import EVENT_CALL_SERVICE, EVENT_STATE_CHANGED
from homeassistant.core import Context, Event, EventStateChangedData, HassJob, HomeAssistant, State, callback

_DRAWN_SECONDS: Final = 0.2  # two changes within one frame of the browser would cancel out
_REFUSED_SECONDS: Final = 0.5  # after an action that the host itself refuses

type Refuses = Callable[[str, Any], bool]


@callback
def async_take_back(hass: HomeAssistant, entity_id: str, typed: str, context: Context | None) -> None:
    """Have the browser in which a person typed a value show the true state again."""
    connection = _browser(hass, context)
    state = hass.states.get(entity_id)
    if connection is None or state is None or state.state == typed:
        return
    pretended = State(entity_id, typed[:255], state.attributes, context=state.context)
    _tell(connection, state, pretended)

    @callback
    def back() -> None:
        if (now := hass.states.get(entity_id)) is not None:
            _tell(connection, pretended, now)

    hass.loop.call_later(_DRAWN_SECONDS, back)


@callback
def async_watch(hass: HomeAssistant, refuses: Refuses) -> None:
    """Take back what Home Assistant refuses before an entity is asked; refuses says of a value whether it does."""

    @callback
    def called(event: Event[dict[str, Any]]) -> None:
        data = event.data["service_data"]
        value, targets = data.get("value"), data.get("entity_id")
        if value is None or targets is None or _browser(hass, event.context) is None:
            return
        for entity_id in [targets] if isinstance(targets, str) else targets:
            if refuses(entity_id, value):
                again = partial(async_take_back, hass, entity_id, str(value), event.context)
                hass.loop.call_later(_REFUSED_SECONDS, again)

    @callback
    def wanted(data: dict[str, Any]) -> bool:
        return data["service"] == "set_value" and data["domain"] in ("number", "text")

    hass.bus.async_listen(EVENT_CALL_SERVICE, called, wanted)


def _browser(hass: HomeAssistant, context: Context | None) -> ActiveConnection | None:
    """Return the connection on which a person asked for what is being done, or None."""
    connection = current_connection.get()
    if connection is None or context is None or context.user_id != connection.user.id:
        return None
    token = hass.auth.async_get_refresh_token(connection.refresh_token_id or "")
    return connection if token is not None and token.token_type == TOKEN_TYPE_NORMAL else None


def _tell(connection: ActiveConnection, old: State, new: State) -> None:
    data: EventStateChangedData = {"entity_id": new.entity_id, "old_state": old, "new_state": new}
    event: Event[EventStateChangedData] = Event(EVENT_STATE_CHANGED, data, context=new.context)
    for listener in list(_listeners(connection)):
        listener(event)


def _listeners(connection: ActiveConnection) -> Iterator[Callable[[Event[EventStateChangedData]], Any]]:
    for unsubscribe in connection.subscriptions.values():
        match getattr(unsubscribe, "args", None):
            case ("state_changed", (HassJob() as job, _)):
                yield job.target
