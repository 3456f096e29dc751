"""Two thousand entities: how long nothing else is served."""

import asyncio
import time

from plugin import Client, Plugin, device, entity


async def test_two_thousand_entities_do_not_hold_up_the_host(core: Client, plugin: Plugin, serial: str) -> None:
    async def longest() -> float:
        worst = 0.0
        while not done.is_set():
            began = time.monotonic()
            await core.ask("get_config")
            worst = max(worst, time.monotonic() - began)
        return worst

    ids = [f"p{i}" for i in range(2000)]
    power = {"unit": "W", "device_class": "power", "state_class": "measurement"}
    entities = [entity(serial, i, "sensor", **power) for i in ids]
    await plugin.hello([serial])
    report = {}
    for step in ("register", "first states", "all changed"):
        done = asyncio.Event()
        watch = asyncio.ensure_future(longest())
        began = time.monotonic()
        if step == "register":
            assert (await plugin.register([device(serial)], entities))["created"] == 2000
        else:
            await plugin.states({e["id"]: len(step) for e in entities}, d={serial: {"online": True}})
        report[step] = (round(time.monotonic() - began, 3),)
        done.set()
        report[step] += (round(await watch, 3),)
    print("\n2000 entities, seconds (whole, longest wait of another client):", report)
    assert report["register"][1] < 0.5
    await plugin.say("remove", devices=[serial])
