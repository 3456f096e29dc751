"""Two thousand entities: how long nothing else is served."""

import asyncio
import time

from plugin import Client, Plugin, device, entity


async def test_two_thousand_entities_do_not_hold_up_the_host(core: Client, plugin: Plugin, serial: str) -> None:
    async def watched() -> tuple[float, int]:
        worst, answers = 0.0, 0
        while not done.is_set():
            began = time.monotonic()
            await core.ask("get_config")
            worst, answers = max(worst, time.monotonic() - began), answers + 1
        return worst, answers

    async def live() -> None:
        while True:
            await plugin.say("heartbeat")
            await asyncio.sleep(5)

    ids = [f"p{i}" for i in range(2000)]
    power = {"unit": "W", "device_class": "power", "state_class": "measurement"}
    entities = [entity(serial, i, "sensor", **power) for i in ids]
    await plugin.hello([serial])
    heart = asyncio.ensure_future(live())
    report = {}
    for step in ("register", "first states", "all changed"):
        done = asyncio.Event()
        watch = asyncio.ensure_future(watched())
        began = time.monotonic()
        if step == "register":
            assert (await plugin.register([device(serial)], entities))["created"] == 2000
        else:
            await plugin.states({e["id"]: len(step) for e in entities}, d={serial: {"online": True}})
        report[step] = (round(time.monotonic() - began, 3),)
        done.set()
        worst, answers = await watch
        report[step] += (round(worst, 3), answers)
    print("\n2000 entities, seconds (whole, longest wait of another client) and its answers:", report)
    # Seconds are the machine's. That others are served between the slices of a registration is ours: without them they
    # get an answer or two.
    assert report["register"][2] > 5
    heart.cancel()
    await plugin.say("remove", devices=[serial])
