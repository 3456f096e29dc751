"""Reload, restart, removal, disabling, diagnostics: what the host and its owner do."""

import asyncio
from contextlib import suppress
import json

import aiohttp
from home import Home, set_up
from plugin import Client, Plugin, Refused
import pytest


async def test_there_is_only_one_entry(core: Client) -> None:
    again = await core.rest("POST", "/config/config_entries/flow", {"handler": "solarhub"})
    assert (again["type"], again["reason"]) == ("abort", "single_instance_allowed")


async def test_a_reload_keeps_the_session(home: Home) -> None:
    entry_id = await set_up(home.core)
    await home.core.rest("POST", f"/config/config_entries/entry/{entry_id}/reload")
    await home.plugin.event("resync")
    assert await home.state("pv_power") == "2345"
    assert await home.plugin.states(home.values | {home.id("pv_power"): 6}) == []
    assert await home.state("pv_power") == "6"
    await home.core.act("number.set_value", home["grid_limit"], value=9)


async def test_without_a_loaded_entry(home: Home, address: tuple[str, str]) -> None:
    entry_id = await set_up(home.core)
    await home.core.ask("config_entries/disable", entry_id=entry_id, disabled_by="user")
    try:
        async with Plugin(*address) as other:
            with pytest.raises(Refused) as refused:
                await other.hello([])
            assert refused.value.code == "entry_not_loaded"
        await home.plugin.say("states", s={home.id("pv_power"): 6})  # a reload would look the same
        with pytest.raises(Refused) as refused:
            await home.plugin.register(home.devices, home.entities)
        assert refused.value.code == "entry_not_loaded"
    finally:
        await home.core.ask("config_entries/disable", entry_id=entry_id, disabled_by=None)
    await home.until("pv_power", "6")


async def test_what_is_disabled_is_told(home: Home) -> None:
    await home.plugin.event("config")  # of the registration
    await home.core.ask("config/entity_registry/update", entity_id=home["pv_power"], disabled_by="user")
    event = await home.plugin.event("config")
    assert sorted(event["disabled"]) == sorted([home.id("hidden"), home.id("pv_power")])
    again = await home.plugin.hello([home.serial])
    assert sorted(again["disabled"]) == sorted(event["disabled"])
    await home.core.ask("config/entity_registry/update", entity_id=home["pv_power"], disabled_by=None)
    assert (await home.plugin.event("config"))["disabled"] == [home.id("hidden")]


async def test_config_comes_before_the_answer_to_a_registration(core: Client, plugin: Plugin, serial: str) -> None:
    home = Home(core, plugin, serial)
    assert (await home.open())["disabled"] == []
    assert plugin.events.get_nowait() == {"type": "config", "disabled": [home.id("hidden")]}


async def test_the_owner_deletes_a_device(home: Home) -> None:
    entry_id = await set_up(home.core)
    devices = await home.core.ask("config/device_registry/list")
    inverter = next(d for d in devices if ["solarhub", home.serial] in d["identifiers"])
    remove = {"config_entry_id": entry_id, "device_id": inverter["id"]}  # works from 2026.8 on, with a warning since
    await home.core.ask("config/device_registry/remove_config_entry", **remove)
    assert (await home.plugin.event("removed"))["devices"] == [home.serial]
    left = await home.core.ask("config/device_registry/list")
    assert not [d for d in left if any(home.serial in i[1] for i in d["identifiers"])]
    assert await home.core.state(home["battery_soc"]) is None
    assert (await home.plugin.say("states", s={home.id("pv_power"): 1}))["unknown"] == [home.id("pv_power")]
    again = await home.plugin.hello([home.serial])  # the plugin may have missed the event
    assert (again["hash"], again["deleted"]) == (None, [home.serial])
    await home.open()
    assert await home.state("pv_power") == "2345"
    assert (await home.plugin.hello([home.serial]))["deleted"] == []


async def test_the_plugin_removes_a_device(home: Home) -> None:
    assert await home.plugin.say("remove", devices=[home.serial, "nobody"]) == {"removed": 2, "unknown": ["nobody"]}
    assert await home.core.state(home["pv_power"]) is None


async def test_diagnostics_hold_no_serial_numbers(home: Home, address: tuple[str, str]) -> None:
    async def answer() -> None:
        event = await home.plugin.event("diagnostics")
        data = {"token": "secret", "line": f"serial of {home.serial}", "requests": 5}
        await home.plugin.say("diagnostics", request_id=event["request_id"], data=data)

    task = asyncio.ensure_future(answer())
    entry_id = await set_up(home.core)
    url = f"{address[0]}/api/diagnostics/config_entry/{entry_id}"
    headers = {"Authorization": f"Bearer {address[1]}"}
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as reply:
        text = await reply.text()
    await task
    data = json.loads(text)["data"]
    plugin = next(i["plugin"] for i in data["installations"] if i["plugin"])
    names = {device["id"] for device in data["definitions"]["devices"]}  # "device 1" and so on
    assert home.serial not in json.dumps(data)
    assert plugin["line"].removeprefix("serial of ") in names
    assert plugin | {"line": ""} == {"token": "**REDACTED**", "line": "", "requests": 5}


async def test_the_owner_removes_the_integration(home: Home, address: tuple[str, str]) -> None:
    entry_id = await set_up(home.core)
    await home.plugin.say("notice", kind="reverted", entity=home.id("grid_limit"), wanted=75, found=10, seconds=5)
    async with Plugin(*address) as other:
        with pytest.raises(Refused):
            await other.hello([], least=7, most=7)

    async def issues() -> list[str]:
        found = (await home.core.ask("repairs/list_issues"))["issues"]
        return [i["translation_key"] for i in found if i["domain"] == "solarhub"]

    assert {"reverted", "companion_too_old"} <= set(await issues())
    await home.core.rest("DELETE", f"/config/config_entries/entry/{entry_id}")
    try:
        assert await home.core.state(home["pv_power"]) is None
        assert await issues() == []
        with pytest.raises(Refused) as refused:
            await home.plugin.say("heartbeat")
        assert refused.value.code == "stale_session"
        with pytest.raises(Refused) as refused:
            await home.plugin.hello([home.serial])
        assert refused.value.code == "entry_not_loaded"
    finally:
        await set_up(home.core)
    assert (await home.plugin.hello([home.serial]))["hash"] is None
    await home.open()
    assert await home.state("pv_power") == "2345"


async def test_system_health_and_action_texts(home: Home) -> None:
    await home.core.ask("system_health/info")
    async with asyncio.timeout(10):
        event = await home.core.events.get()
        assert "solarhub" in event["data"]
        assert event["data"]["solarhub"]["info"]["plugin_versions"] == "9.9.9"
    services = await home.core.ask("get_services")
    assert set(services["solarhub"]) == {"write_value", "write_group", "read_value", "refresh"}


async def test_a_restart_brings_entities_before_the_plugin(home: Home, address: tuple[str, str]) -> None:
    await asyncio.sleep(1.5)  # the definitions are kept a second after they changed
    with suppress(ConnectionError):
        await home.core.act("homeassistant.restart")
    await home.plugin.close()
    async with asyncio.timeout(60):
        while True:
            await asyncio.sleep(0.3)
            with suppress(aiohttp.ClientError, AssertionError, TypeError):
                async with Client(*address) as again:
                    if (await again.rest("GET", "/core/state"))["state"] == "RUNNING":
                        break
    async with Client(*address) as core, Plugin(*address, installation=home.plugin.installation) as plugin:
        home.core = core
        before = await core.state(home["grid_limit"])
        assert before["state"] == "unavailable"
        assert "restored" not in before["attributes"]
        assert before["attributes"]["max"] == 5000
        assert (await plugin.hello([home.serial]))["hash"] == "h1"
        await plugin.states(home.values, d={home.serial: {"online": True}})
        assert await home.state("grid_limit") == "75"
