"""A toy plugin and a toy caller: the other side of PROTOCOL.md and of Home Assistant's WebSocket API, for the tests."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import time
from typing import Any, Self

import aiohttp

type Json = dict[str, Any]


class Refused(Exception):
    """An error result. code and message are the host's; error is all of it."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.error = error
        self.code: str = error["code"]


class Client:
    """A connection to the WebSocket API, authenticated."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.token = url, token
        self.events: asyncio.Queue[Json] = asyncio.Queue()
        self.on_event: Callable[[Json], Awaitable[None]] | None = None
        self._id = 0
        self._pending: dict[int, asyncio.Future[Json]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        try:
            self._socket = await self._http.ws_connect(f"{self.url}/api/websocket", max_msg_size=0)
        except BaseException:
            await self._http.close()
            raise
        await self._socket.receive_json()
        await self._socket.send_json({"type": "auth", "access_token": self.token})
        answer = await self._socket.receive_json()
        assert answer["type"] == "auth_ok", answer
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the socket as a process that ends does."""
        for task in [self._reader, *self._tasks]:
            task.cancel()
        await self._socket.close()
        await self._http.close()

    async def _read(self) -> None:
        async for frame in self._socket:
            messages = frame.json()
            for message in messages if isinstance(messages, list) else [messages]:
                await self._take(message)
        for future in self._pending.values():
            if not future.done():
                future.set_exception(ConnectionError("the host closed the connection"))

    async def _take(self, message: Json) -> None:
        if message["type"] == "event":
            if self.on_event is not None:
                task = asyncio.create_task(self.on_event(message["event"]))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            await self.events.put(message["event"])
        elif (future := self._pending.pop(message["id"], None)) and not future.done():
            future.set_result(message)

    def begin(self, kind: str, /, **fields: Any) -> asyncio.Future[Json]:
        """Send a command and return the future of its whole answer."""
        self._id += 1
        self._pending[self._id] = future = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._socket.send_json({"id": self._id, "type": kind, **fields}))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return future

    async def ask(self, kind: str, /, **fields: Any) -> Any:
        """Send a command and return its result; raises Refused."""
        async with asyncio.timeout(60):
            answer = await self.begin(kind, **fields)
        if not answer["success"]:
            raise Refused(answer["error"])
        return answer["result"]

    async def act(self, action: str, target: str | None = None, *, response: bool = False, **data: Any) -> Any:
        """Perform an action, such as number.set_value on number.x with value=1."""
        domain, service = action.split(".")
        fields: Json = {"domain": domain, "service": service, "service_data": data}
        if target is not None:
            fields["target"] = {"entity_id": target}
        if response:
            fields["return_response"] = True
        return await self.ask("call_service", **fields)

    async def state(self, entity_id: str) -> Json | None:
        """Return an entity's state with attributes and context."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self._http.get(f"{self.url}/api/states/{entity_id}", headers=headers) as reply:
            return await reply.json() if reply.status == 200 else None

    async def rest(self, method: str, path: str, body: Any = None) -> Any:
        """Use the REST API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self._http.request(method, f"{self.url}/api{path}", json=body, headers=headers) as reply:
            assert reply.status < 300, (reply.status, await reply.text())
            return await reply.json()

    async def login(self, name: str, password: str) -> str:
        """Log a person in as the login page does, and return an access token."""
        client = {"client_id": f"{self.url}/"}
        start = client | {"handler": ["homeassistant", None], "redirect_uri": f"{self.url}/"}
        async with self._http.post(f"{self.url}/auth/login_flow", json=start) as reply:
            flow = (await reply.json())["flow_id"]
        form = client | {"username": name, "password": password}
        async with self._http.post(f"{self.url}/auth/login_flow/{flow}", json=form) as reply:
            code = (await reply.json())["result"]
        grant = client | {"grant_type": "authorization_code", "code": code}
        async with self._http.post(f"{self.url}/auth/token", data=grant) as reply:
            return (await reply.json())["access_token"]

    async def watch_states(self, entity_ids: list[str]) -> list[Json]:
        """Return a list to which each state change of these entities is added from now on."""
        seen: list[Json] = []

        async def note(event: Json) -> None:
            if (data := event.get("data", {})).get("entity_id") in entity_ids:
                seen.append(data)

        self.on_event = note
        await self.ask("subscribe_events", event_type="state_changed")
        return seen

    async def until(self, entity_id: str, wanted: Callable[[Json | None], bool], seconds: float = 10) -> Json:
        """Wait until an entity's state is as wanted."""
        state: Json | None = None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not wanted(state := await self.state(entity_id)):
                    await asyncio.sleep(0.02)
                return state or {}
        raise AssertionError(f"{entity_id} is {state} after {seconds} s")


class Plugin(Client):
    """The plugin. It keeps what it was asked to set in registers, unless refuse or ignore say otherwise."""

    def __init__(self, url: str, token: str, installation: str = "test", epoch: int | None = None) -> None:
        super().__init__(url, token)
        self.installation = installation
        self.epoch = epoch or int(time.time() * 1000)
        self.session = 0
        self.registers: Json = {}
        self.calls: list[Json] = []
        self.cancelled: list[str] = []
        self.refuse: Json | None = None  # the error of every call
        self.ignore = False  # answer no call
        self.delay = 0.0
        self.superseded = False
        self.on_event = self._serve

    async def hello(self, devices: list[str], *, least: int = 1, most: int = 1) -> Json:
        """Say hello and return its result."""
        result: Json = await self.ask(
            "solarhub/hello",
            protocol={"min": least, "max": most, "future": 1},
            plugin_version="9.9.9",
            installation=self.installation,
            epoch=self.epoch,
            devices=devices,
            unknown_field="ignored",
        )
        self.session = result["session"]
        return result

    async def say(self, command: str, /, **fields: Any) -> Any:
        """Send a command of this session."""
        return await self.ask(f"solarhub/{command}", session=self.session, **fields)

    async def register(self, devices: list[Json], entities: list[Json], digest: str = "h1") -> Json:
        """Register in frames of 200 and return the last result."""
        frames = [entities[i : i + 200] for i in range(0, len(entities), 200)] or [[]]
        for seq, frame in enumerate(frames):
            result: Json = await self.say(
                "register",
                seq=seq,
                last=seq == len(frames) - 1,
                hash=digest,
                devices=devices if seq == 0 else [],
                entities=frame,
            )
        return result

    async def states(self, values: Json, **fields: Any) -> list[str]:
        """Send values in frames of 500, the last one with ready, and return what is unknown."""
        self.registers |= values
        unknown: list[str] = []
        ids = list(values)
        for first in range(0, max(len(ids), 1), 500):
            some = {i: values[i] for i in ids[first : first + 500]}
            last = {"ready": True} if first + 500 >= len(ids) else {}
            unknown += (await self.say("states", s=some, **last, **(fields if first == 0 else {})))["unknown"]
        return unknown

    async def event(self, kind: str, seconds: float = 10) -> Json:
        """Wait for the next event of a kind; others are dropped."""
        async with asyncio.timeout(seconds):
            while (event := await self.events.get())["type"] != kind:
                pass
        return event

    async def _serve(self, event: Json) -> None:
        if event["type"] == "cancel":
            self.cancelled.append(event["call_id"])
        if event["type"] == "probe" and not self.ignore:
            await self.say("heartbeat")
        if event["type"] != "call":
            return
        self.calls.append(event)
        if self.ignore:
            return
        await asyncio.sleep(self.delay)
        answer: Json = {"call_id": event["call_id"], "ok": self.refuse is None}
        if self.refuse is not None:
            answer["error"] = self.refuse
        elif event["action"] == "set":
            if not self.superseded:
                self.registers[event["id"]] = event["value"]
            value = self.registers[event["id"]]
            answer |= {"value": value, "superseded": self.superseded, "s": {event["id"]: value}}
        elif event["action"] == "write_group":
            self.registers |= {f"{event['device']}_{key}": value for key, value in event["values"].items()}
            answer["response"] = {"members": {key: {"value": value} for key, value in event["values"].items()}}
        elif event["action"] == "read":
            answer["response"] = {
                "value": self.registers.get(event["id"]),
                "unit": "W",
                "read_at": "2026-11-24T10:00:00+01:00",
                "age_ms": 12,
                "raw": [1500],
                "registers": "holding 143+1",
            }
        await self.say("result", **answer)


def device(serial: str, name: str = "Inverter", **more: Any) -> Json:
    """Return a Device."""
    return {
        "id": serial,
        "name": name,
        "manufacturer": "Acme",
        "model": "Hybrid 8",
        "serial_number": serial,
        "sw_version": "1.2",
        **more,
    }


def entity(serial: str, key: str, platform: str, **more: Any) -> Json:
    """Return an Entity."""
    return {
        "id": f"{serial.replace('/', '_')}_{key}",
        "device": serial,
        "platform": platform,
        "key": key,
        "name": key.replace("_", " ").capitalize(),
        "enabled": True,
        **more,
    }


def house(serial: str = "SN123456") -> tuple[list[Json], list[Json], Json]:
    """Return devices, entities and values of an inverter with a battery: every platform at least once."""
    battery = f"{serial}/battery"
    number = {"unit": "W", "device_class": "power", "min": 0, "max": 5000, "step": 1, "category": "config"}
    devices = [device(serial), device(battery, "Battery", via=serial, model="Pack", serial_number=None)]
    entities = [
        entity(serial, "pv_power", "sensor", unit="W", device_class="power", state_class="measurement", precision=0),
        entity(serial, "mode", "sensor", device_class="enum", options=["standby", "on grid", "fault"]),
        entity(serial, "started", "sensor", device_class="timestamp", category="diagnostic"),
        entity(serial, "grid_lost", "binary_sensor", device_class="problem"),
        entity(serial, "grid_limit", "number", mode="box", **number),
        entity(
            serial,
            "charge_limit",
            "number",
            mode="slider",
            **(number | {"max": 100, "unit": "%", "device_class": None}),
        ),
        entity(serial, "work_mode", "select", options=["self use", "feed in", "backup"], category="config"),
        entity(serial, "charge_from_grid", "switch", category="config"),
        entity(serial, "window_start", "time", category="config"),
        entity(serial, "window_start_text", "text", pattern=r"^([01]\d|2[0-3]):[0-5]\d$", min_length=5, max_length=5),
        entity(serial, "restart", "button", category="config", icon="mdi:restart"),
        entity(serial, "hidden", "sensor", unit="V", device_class="voltage", enabled=False, category="diagnostic"),
        entity(battery, "soc", "sensor", unit="%", device_class="battery", state_class="measurement"),
    ]
    values = {
        f"{serial}_pv_power": 2345,
        f"{serial}_mode": "on grid",
        f"{serial}_started": "2026-11-24T06:00:00+01:00",
        f"{serial}_grid_lost": False,
        f"{serial}_grid_limit": 75,
        f"{serial}_charge_limit": 40,
        f"{serial}_work_mode": "self use",
        f"{serial}_charge_from_grid": False,
        f"{serial}_window_start": "22:00",
        f"{serial}_window_start_text": "22:00",
        f"{serial}_hidden": 401,
        f"{serial}_battery_soc": 81,
    }
    return devices, entities, values
