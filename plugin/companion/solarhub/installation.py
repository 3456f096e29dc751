"""One plugin process and its sessions: who is connected, for how long its entities stay available, what they show."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
import logging
from time import monotonic
from typing import Any, NamedTuple

from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.util.ulid import ulid_now

from .const import ANSWER_SECONDS, CONNECT_SECONDS, DIAGNOSTICS_SECONDS, GRACE_MAX, SILENCE_MAX
from .definitions import Json, Registration, root_of
from .errors import call_error

_LOGGER = logging.getLogger(__name__)


class Value(NamedTuple):
    """A value as it came, and when it was read if it comes from the plugin's cache."""

    value: Any
    read_at: str | None


@dataclass(slots=True)
class Picture:
    """What the entities of an installation show."""

    served: set[str]  # device ids without parts
    values: dict[str, Value] = field(default_factory=dict)
    online: dict[str, bool] = field(default_factory=dict)  # devices and parts; absent: as its parent
    reasons: dict[str, str] = field(default_factory=dict)  # of those that are not online
    usable: dict[str, bool] = field(default_factory=dict)  # entities; absent: yes

    def available(self, entity_id: str, device_id: str) -> bool:
        """Report whether an entity is available as long as the plugin is there."""
        root = root_of(device_id)
        online = self.online.get(device_id, self.online.get(root, root in self.served))
        return online and self.usable.get(entity_id, True)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the plugin has not answered yet."""

    name: str  # of what is called, for errors
    sets: str | None  # the id of the entity that is set
    context: Context | None
    answer: asyncio.Future[Json | HomeAssistantError]


@dataclass(slots=True, eq=False)
class Session:
    """One hello and what followed on its connection."""

    number: int
    installation: str
    epoch: int
    plugin_version: str
    protocol: int
    connection: ActiveConnection
    message_id: int
    picture: Picture
    ready: bool = False
    alive: bool = True
    began: float = field(default_factory=monotonic)
    heard: float = field(default_factory=monotonic)
    calls: dict[str, Call] = field(default_factory=dict)
    requests: dict[str, asyncio.Future[Json]] = field(default_factory=dict)  # for diagnostics
    registration: Registration | None = None
    disabled: list[str] | None = None  # as the plugin was told last

    @callback
    def send(self, kind: str, **fields: Any) -> None:
        """Send an event to the plugin. On a connection that is gone this does nothing."""
        self.connection.send_event(self.message_id, {"type": kind, **fields})

    @callback
    def end(self) -> None:
        """Fail what waits for the plugin."""
        self.alive = self.ready = False
        for call in self.calls.values():
            if not call.answer.done():
                call.answer.set_result(call_error("lost", call.name))
        for request in self.requests.values():
            request.cancel()
        self.calls.clear()
        self.requests.clear()

    async def async_diagnostics(self) -> Json | None:
        """Ask the plugin for what it knows of itself; None if it does not answer."""
        request_id = ulid_now()
        self.requests[request_id] = request = asyncio.get_running_loop().create_future()
        self.send("diagnostics", request_id=request_id)
        await asyncio.wait([request], timeout=DIAGNOSTICS_SECONDS)
        self.requests.pop(request_id, None)
        return request.result() if request.done() and not request.cancelled() else None


class Installation:
    """The newest session of a plugin, the time of grace after it, and the calls to it."""

    def __init__(self, hass: HomeAssistant, name: str, publish: Callable[[], None], grace: Callable[[], float]) -> None:
        """Make an installation that never connected.

        publish is called when all of its entities may have changed; grace gives for how many seconds they stay
        available after an unplanned loss.
        """
        self.name = name
        self.session: Session | None = None
        self.picture = Picture(served=set())
        self.shown = False  # entities are available, as far as picture says
        self._hass = hass
        self._publish = publish
        self._grace_seconds = grace
        self._ready = asyncio.Event()
        self._grace: CALLBACK_TYPE | None = None
        self._watch: CALLBACK_TYPE | None = None
        self._lost = False  # and said so

    @callback
    def open(self, session: Session) -> None:
        """Make a session the current one. The newest hello wins."""
        if self.session is not None:
            self.session.send("replaced")
            self._end(self.session)
        self.session = session
        self._cancel_grace()
        self._watch_over(session, SILENCE_MAX)

    @callback
    def complete(self, session: Session) -> None:
        """Show what a session sent: its first snapshot is complete."""
        session.ready = True
        self.picture = session.picture
        self.shown = True
        self._ready.set()
        if self._lost:
            _LOGGER.info("SolarHub %s is back", self.name)
            self._lost = False
        self._publish()

    @callback
    def lose(self, session: Session, why: str, grace: float | None = None) -> None:
        """End a session; its entities stay available for grace seconds. A stale session changes nothing."""
        if session is not self.session:
            return
        grace = min(self._grace_seconds() if grace is None else grace, GRACE_MAX)
        self.session = None
        self._end(session)
        if self.shown and not self._lost:
            _LOGGER.warning("SolarHub %s: %s; its entities stay available for %d s", self.name, why, grace)
            self._lost = True
        if grace > 0 and self.shown:
            self._grace = async_call_later(self._hass, grace, self._hide)
        else:
            self._hide()

    @callback
    def close(self) -> None:
        """Forget the session and everything that is shown."""
        if self.session is not None:
            self._end(self.session)
            self.session = None
        self._cancel_grace()
        self.shown = False

    @callback
    def _hide(self, *_: Any) -> None:
        self._grace = None
        self.shown = False
        self._publish()

    @callback
    def _end(self, session: Session) -> None:
        self._ready.clear()
        if self._watch is not None:
            self._watch()
            self._watch = None
        session.end()

    @callback
    def _cancel_grace(self) -> None:
        if self._grace is not None:
            self._grace()
            self._grace = None

    @callback
    def _watch_over(self, session: Session, seconds: float) -> None:
        """Notice a plugin that is silent: Home Assistant itself needs more than a minute for a half-open connection."""

        @callback
        def look(*_: Any) -> None:
            self._watch = None
            silent = monotonic() - session.heard
            if silent < SILENCE_MAX:
                self._watch_over(session, SILENCE_MAX - silent)
            else:
                self.lose(session, f"nothing was heard of it for {silent:.0f} s")

        self._watch = async_call_later(self._hass, seconds, look)

    async def async_call(
        self, action: str, target: Json, name: str, seconds: float, context: Context | None = None
    ) -> Json:
        """Have the plugin do something and return its answer, the fields of solarhub/result.

        Raises the error of the plugin, or not_connected, lost or timeout. If the caller is cancelled, the plugin is
        asked to drop the call.
        """
        session = await self._async_ready(name)
        call_id = ulid_now()
        answer: asyncio.Future[Json | HomeAssistantError] = asyncio.get_running_loop().create_future()
        session.calls[call_id] = Call(name, target.get("id") if action == "set" else None, context, answer)
        session.send("call", call_id=call_id, action=action, remaining_ms=round(seconds * 1000), **target)
        try:
            async with asyncio.timeout(seconds + ANSWER_SECONDS):
                result = await answer
        except TimeoutError:
            raise call_error("timeout", name, {"seconds": round(seconds + ANSWER_SECONDS)}) from None
        except asyncio.CancelledError:
            session.send("cancel", call_id=call_id)
            raise
        finally:
            session.calls.pop(call_id, None)
        if isinstance(result, HomeAssistantError):
            raise result
        return result

    async def _async_ready(self, name: str) -> Session:
        """Return the session; wait a moment for a plugin that is about to come back."""
        if (self.session is not None or self.shown) and not self._ready.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._ready.wait()
        if self.session is None or not self.session.ready:
            raise call_error("not_connected", name)
        return self.session
