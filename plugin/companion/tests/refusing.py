"""A plugin that refuses whatever it is asked for, for browser.mjs.

Prints the request for browser.mjs as one line of JSON, serves until its standard input ends, and prints how many calls
came and which states of its entities changed meanwhile: none may. Needs HASS_URL and HASS_TOKEN.
"""

import asyncio
import json
import os
import sys

from home import Home, set_up
from plugin import Client, Plugin

KINDS = {
    "number_box": "grid_limit",
    "number_slider": "charge_limit",
    "select": "work_mode",
    "text": "window_start_text",
    "time": "window_start",
    "switch": "charge_from_grid",
}
WORDS = {"typed": "13", "beyond": "99999", "option": "backup", "text_typed": "23:59"}


async def main() -> int:
    """Serve, and return the exit code."""
    url, token = os.environ["HASS_URL"], os.environ["HASS_TOKEN"]
    serial = f"R{os.getpid()}"
    async with Client(url, token) as core, Plugin(url, token, installation=f"refusing {serial}") as plugin:
        await set_up(core)
        home = Home(core, plugin, serial)
        await home.open()
        texts = {"device": "Inverter", "register": "holding 143", "code": "3", "text": "illegal data value"}
        plugin.refuse = {"code": "exception", "placeholders": texts}
        request = {kind: home[key] for kind, key in KINDS.items()}
        changes = await core.watch_states(list(request.values()))
        print(json.dumps(request | WORDS), flush=True)

        async def live() -> None:
            while True:
                await asyncio.sleep(5)
                await plugin.say("heartbeat")

        heart = asyncio.create_task(live())
        await asyncio.to_thread(sys.stdin.read)
        heart.cancel()
        print(json.dumps({"calls": len(plugin.calls), "state_changes": changes}), flush=True)
        await plugin.say("remove", devices=[serial])
        return 1 if changes or not plugin.calls else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
