"""The Python half of .ci/homeassistant, run inside the environment that it builds.

homeassistant.py requirements SITE   print the libraries that a plain start needs; SITE is the site-packages folder
homeassistant.py ready DIR PID       wait until DIR's Home Assistant runs, and put its owner's token into DIR/env;
                                     give up when the process PID ends
"""

import asyncio
from collections.abc import Awaitable, Callable
import json
import os
from pathlib import Path
import re
import sys

CONFIGURED = {"config", "frontend", "history", "isal", "logbook", "recorder"}  # isal speeds up http; core wants it
NO_WHEEL = {"pymicro-vad", "pyspeex-noise"}  # voice processing in C, without a binary for Python 3.14
PATIENCE = 180  # seconds until RUNNING; it takes three on an idle machine


def requirements(site: Path) -> None:
    """Print what the manifests ask for, and put an empty module in the place of what cannot be installed."""
    core = site / "homeassistant"
    manifests = {file.parent.name: json.loads(file.read_text()) for file in core.glob("components/*/manifest.json")}
    defaults = re.search(r"^DEFAULT_INTEGRATIONS = \{(.*?)^\}", (core / "bootstrap.py").read_text(), re.S | re.M)[1]
    todo = CONFIGURED | set(re.findall(r'^\s*"(\w+)"', defaults, re.M))
    todo |= {name for name, manifest in manifests.items() if manifest.get("integration_type") == "entity"}
    seen, wanted = set(), set()
    while todo:
        seen.add(name := todo.pop())
        wanted |= set(manifests[name].get("requirements", []))
        for kind in ("dependencies", "after_dependencies"):  # a default integration imports some it merely comes after
            todo |= set(manifests[name].get(kind, [])) - seen
    print("\n".join(sorted(line for line in wanted if line.split("==")[0] not in NO_WHEEL)))
    for name in NO_WHEEL:
        stand_in = "def __getattr__(name):\n    return type(name, (), {})\n"
        (site / f"{name.replace('-', '_')}.py").write_text(stand_in)


async def ready(folder: Path, pid: int) -> None:
    """Make the owner on the first start as a browser would; wait for the state RUNNING on every start."""
    import aiohttp  # noqa: PLC0415 # part of the environment only when it is complete

    env = dict(line.split("=", 1) for line in (folder / "env").read_text().splitlines())
    url, token = env["HASS_URL"], env["HASS_TOKEN"]

    async def until(ask: Callable[[], Awaitable[bool]]) -> None:
        while True:
            try:
                if await ask():
                    return
            except (aiohttp.ClientError, OSError):
                pass  # it does not listen yet
            if not Path(f"/proc/{pid}").exists():
                sys.exit("homeassistant: the core has ended")
            await asyncio.sleep(0.1)

    async with aiohttp.ClientSession(url, raise_for_status=True) as http, asyncio.timeout(PATIENCE):

        async def answers() -> bool:
            async with http.get("/manifest.json"):
                return True

        async def is_running() -> bool:
            async with http.get("/api/core/state", headers={"Authorization": f"Bearer {token}"}) as reply:
                return (await reply.json())["state"] == "RUNNING"

        await until(answers)
        token = token or await new_token(http, f"{url}/")
        await until(is_running)

    text = (folder / "env").read_text()  # again: the process id has been put in meanwhile
    text = re.sub("^HASS_TOKEN=.*", f"HASS_TOKEN={token}", text, flags=re.M)
    descriptor = os.open(folder / "env.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    (folder / "env.new").rename(folder / "env")


async def new_token(http, client: str) -> str:
    """Create the owner, whose name and password are "owner", and return a token that is good for ten years."""
    owner = {"client_id": client, "name": "Owner", "username": "owner", "password": "owner", "language": "en"}
    async with http.post("/api/onboarding/users", json=owner) as reply:
        code = (await reply.json())["auth_code"]
    form = {"grant_type": "authorization_code", "code": code, "client_id": client}
    async with http.post("/auth/token", data=form) as reply:
        access = (await reply.json())["access_token"]
    async with http.ws_connect("/api/websocket") as socket:
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": access})
        await socket.receive_json()
        ask = {"id": 1, "type": "auth/long_lived_access_token", "client_name": "end-to-end tests", "lifespan": 3650}
        await socket.send_json(ask)
        return (await socket.receive_json())["result"]


if sys.argv[1] == "requirements":
    requirements(Path(sys.argv[2]))
else:
    asyncio.run(ready(Path(sys.argv[2]), int(sys.argv[3])))
