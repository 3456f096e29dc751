"""A session: one hello of the plugin and everything that follows it on the same connection."""

import asyncio
from dataclasses import dataclass, field
import time
from time import monotonic
from typing import Any, Final, NamedTuple

from homeassistant.components.websocket_api import ActiveConnection
from homeassistant.core import Context, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util.ulid import ulid_now

from .catalogue import Registration
from .const import DIAGNOSTICS_SECONDS, PROBE_SECONDS
from .definitions import DeviceDef, EntityDef, Json, root_of
from .errors import call_error

_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@callback
def clock_ms() -> int:
    """Return the time in milliseconds on a clock that never jumps and goes on while the machine is suspended.

    The plugin compares it with its own clock and so knows how old a call is.
    """
    return round(time.clock_gettime(_CLOCK) * 1000)


class Reading(NamedTuple):
    """A value as the plugin sent it. read_at is set if the value comes from the plugin's cache."""

    value: Any
    read_at: str | None


@dataclass(slots=True)
class Snapshot:
    """Everything that a session has said about the states of its entities."""

    served: set[str]  # ids of whole devices
    readings: dict[str, Reading] = field(default_factory=dict)
    online: dict[str, bool] = field(default_factory=dict)  # by device or part; a part without one follows its device
    reasons: dict[str, str] = field(default_factory=dict)  # why a device or part is not online
    usable: dict[str, bool] = field(default_factory=dict)  # by entity; an entity without one is usable

    def available(self, entity_id: str, device_id: str) -> bool:
        """Report whether an entity is available while the plugin is connected."""
        root = root_of(device_id)
        online = self.online.get(device_id, self.online.get(root, root in self.served))
        return online and self.usable.get(entity_id, True)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the plugin has not answered yet."""

    action: str
    target: EntityDef | DeviceDef
    name: str  # what the owner calls the target
    context: Context | None
    answer: asyncio.Future[Json | HomeAssistantError]


@dataclass(slots=True, eq=False)
class Session:
    """One hello of the plugin and everything that follows it on the same connection."""

    number: int
    installation: str
    epoch: int
    plugin_version: str
    protocol: int
    connection: ActiveConnection
    message_id: int
    snapshot: Snapshot
    ready: bool = False
    alive: bool = True
    began: float = field(default_factory=monotonic)
    last_message: float = field(default_factory=monotonic)
    calls: dict[str, Call] = field(default_factory=dict)
    diagnostics: dict[str, asyncio.Future[Json]] = field(default_factory=dict)  # by request id
    registration: Registration | None = None  # while its frames arrive
    disabled: list[str] | None = None  # the list that the plugin was sent last
    probes: list[asyncio.Future[bool]] = field(default_factory=list)

    @callback
    def send(self, kind: str, **fields: Any) -> None:
        """Send an event to the plugin. If the connection is gone, nothing happens."""
        self.connection.send_event(self.message_id, {"type": kind, **fields})

    @callback
    def heard(self) -> None:
        """Note that a message came from the plugin."""
        self.last_message = monotonic()
        for probe in self.probes:
            if not probe.done():
                probe.set_result(True)
        self.probes.clear()

    async def async_probe(self) -> bool:
        """Report whether the plugin is alive: ask it for a message, and wait a moment for any."""
        probe = asyncio.get_running_loop().create_future()
        self.probes.append(probe)
        self.send("probe")
        await asyncio.wait([probe], timeout=PROBE_SECONDS)
        return self.alive and probe.done()

    @callback
    def end(self) -> None:
        """Fail everything that waits for the plugin, except the calls."""
        self.alive = self.ready = False
        for request in self.diagnostics.values():
            request.cancel()
        for probe in self.probes:
            probe.cancel()
        self.diagnostics.clear()
        self.probes.clear()

    @callback
    def fail_calls(self) -> None:
        """Tell the callers that the session is lost. From then on the plugin may carry out none of their calls."""
        for call in self.calls.values():
            if not call.answer.done():
                call.answer.set_result(call_error("lost", call.name))
        self.calls.clear()

    async def async_diagnostics(self) -> Json | None:
        """Ask the plugin for its diagnostics. Return None if it does not answer in time."""
        request_id = ulid_now()
        self.diagnostics[request_id] = request = asyncio.get_running_loop().create_future()
        self.send("diagnostics", request_id=request_id)
        await asyncio.wait([request], timeout=DIAGNOSTICS_SECONDS)
        self.diagnostics.pop(request_id, None)
        return request.result() if request.done() and not request.cancelled() else None
