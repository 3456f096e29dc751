"""An installation: its current session, the grace period after a lost one, and the calls to its plugin."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import logging
from time import monotonic
from typing import Any

from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.event import async_call_later
from homeassistant.util.ulid import ulid_now

from .const import ANSWER_SECONDS, CONNECT_SECONDS, GRACE_MAX, SILENCE_MAX, WRITE_SECONDS
from .definitions import DeviceDef, EntityDef, EntityState, Json
from .errors import call_error
from .session import Call, Session, Snapshot, clock_ms

_LOGGER = logging.getLogger(__name__)


class Installation:
    """One plugin process, by the name in its configuration, over all of its sessions."""

    def __init__(self, hass: HomeAssistant, name: str, publish: Callable[[], None], grace: Callable[[], float]) -> None:
        """Make an installation that has never connected.

        publish is called when any of its entities may have changed. grace returns how many seconds they stay available
        after an unplanned loss.
        """
        self.name = name
        self.session: Session | None = None
        self.snapshot = Snapshot(served=set())
        self.visible = False  # entities show what the snapshot says; otherwise they are unavailable
        self._hass = hass
        self._publish = publish
        self._grace_seconds = grace
        self._ready = asyncio.Event()
        self._grace: CALLBACK_TYPE | None = None
        self._watchdog: CALLBACK_TYPE | None = None
        self._lost: list[Session] = []  # sessions that have ended, though the plugin may not know it yet
        self._loss_logged = False

    @callback
    def state_of(self, entity: EntityDef) -> EntityState:
        """Return what an entity of this installation shows now."""
        if not self.visible or not self.snapshot.available(entity.id, entity.device):
            return EntityState(available=False)
        return EntityState(True, *self.snapshot.readings.get(entity.id, (None, None)))

    @callback
    def open(self, session: Session) -> None:
        """Make a session the current one. The newest hello wins."""
        if self.session is not None:
            self.session.send("replaced")
            self._end(self.session)
        # A plugin dials again when it has ended all calls of the session before, and an earlier process is gone.
        for lost in [lost for lost in self._lost if lost.epoch <= session.epoch]:
            self._give_up(lost)
        self.session = session
        self._cancel_grace()
        self._watch(session, SILENCE_MAX)

    @callback
    def complete(self, session: Session) -> None:
        """Show what a session has sent: its first snapshot is complete."""
        session.ready = True
        self.snapshot = session.snapshot
        self.visible = True
        self._ready.set()
        if self._loss_logged:
            _LOGGER.info("SolarHub %s is back", self.name)
            self._loss_logged = False
        self._publish()

    @callback
    def lose(self, session: Session, why: str, grace: float | None = None) -> None:
        """End a session. Its entities stay available for grace seconds. A session that was replaced changes nothing."""
        if session is not self.session:
            return
        grace = min(self._grace_seconds() if grace is None else grace, GRACE_MAX)
        self.session = None
        self._end(session)
        if self.visible and not self._loss_logged:
            _LOGGER.warning("SolarHub %s: %s; its entities stay available for %d s", self.name, why, grace)
            self._loss_logged = True
        if grace > 0 and self.visible:
            self._grace = async_call_later(self._hass, grace, self._hide)
        else:
            self._hide()

    @callback
    def close(self) -> None:
        """End the session and show nothing any more."""
        if self.session is not None:
            self._end(self.session)
            self.session = None
        self._cancel_grace()
        self.visible = False

    @callback
    def _hide(self, *_: Any) -> None:
        self._grace = None
        self.visible = False
        self._publish()

    @callback
    def _end(self, session: Session) -> None:
        self._ready.clear()
        if self._watchdog is not None:
            self._watchdog()
            self._watchdog = None
        session.end()
        silent = monotonic() - session.last_message
        self._lost.append(session)
        if silent >= SILENCE_MAX or not session.calls or self._hass.is_stopping:
            self._give_up(session)
        else:
            async_call_later(self._hass, SILENCE_MAX - silent, lambda _: self._give_up(session))

    @callback
    def _give_up(self, session: Session) -> None:
        """Tell the callers of a session that it is lost.

        That a connection has closed on this side does not mean that the plugin knows. It ends a session whose
        heartbeats are not answered, so it writes nothing any more once it has been silent for SILENCE_MAX.
        """
        session.fail_calls()
        if session in self._lost:
            self._lost.remove(session)

    @callback
    def _cancel_grace(self) -> None:
        if self._grace is not None:
            self._grace()
            self._grace = None

    @callback
    def _watch(self, session: Session, seconds: float) -> None:
        """End a session whose plugin is silent. Home Assistant needs over a minute to notice a half-open connection."""

        @callback
        def check(*_: Any) -> None:
            self._watchdog = None
            silent = monotonic() - session.last_message
            if silent < SILENCE_MAX:
                self._watch(session, SILENCE_MAX - silent)
            else:
                self.lose(session, f"the plugin sent nothing for {silent:.0f} s")

        self._watchdog = async_call_later(self._hass, seconds, check)

    async def async_call(
        self,
        target: EntityDef | DeviceDef,
        action: str,
        name: str,
        *,
        context: Context | None,
        seconds: float = WRITE_SECONDS,
        **fields: Any,
    ) -> Json:
        """Have the plugin carry out an action on an entity or device and return its answer, the fields of its result.

        name is what the owner calls the target. seconds is how long the plugin has. Raises the plugin's error, or
        not_connected, lost or timeout. If the caller is cancelled or gets no answer in time, the plugin is asked to
        drop the call, so that nothing is written after its caller was told.
        """
        session = await self._async_ready(name)
        call_id = ulid_now()
        answer: asyncio.Future[Json | HomeAssistantError] = asyncio.get_running_loop().create_future()
        session.calls[call_id] = Call(action, target, name, context, answer)
        where = {"id": target.id} if isinstance(target, EntityDef) else {"device": target.root}
        remaining_ms = round(seconds * 1000)
        session.send(
            "call", call_id=call_id, action=action, remaining_ms=remaining_ms, clock_ms=clock_ms(), **where, **fields
        )
        try:
            async with asyncio.timeout(seconds + ANSWER_SECONDS):
                result = await answer
        except TimeoutError:
            session.send("cancel", call_id=call_id)
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
        """Return the session. If the plugin is about to come back, wait for it."""
        if (self.session is not None or self.visible) and not self._ready.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(CONNECT_SECONDS):
                    await self._ready.wait()
        if self.session is None or not self.session.ready:
            raise call_error("not_connected", name)
        return self.session
