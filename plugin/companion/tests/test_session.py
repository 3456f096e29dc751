"""Hello, heartbeat, grace, and who may speak: PROTOCOL.md, sections 2, 3 and 6."""

import asyncio

from home import GRACE, Home
from plugin import Client, Json, Plugin, Refused, house
import pytest


async def test_hello_opens_a_session(plugin: Plugin, serial: str) -> None:
    first = await plugin.hello([serial])
    assert first | {"session": 0, "ha_version": "", "clock_ms": 0} == {
        "protocol": 1,
        "companion_version": "0.1.0",
        "ha_version": "",
        "session": 0,
        "hash": None,
        "disabled": [],
        "deleted": [],
        "heartbeat_ms": 10000,
        "grace_ms": GRACE * 1000,
        "clock_ms": 0,
    }


async def test_the_clock_goes_with_every_heartbeat_and_every_call(home: Home) -> None:
    before = (await home.plugin.say("heartbeat"))["clock_ms"]
    await home.core.act("number.set_value", home["grid_limit"], value=7)
    after = (await home.plugin.say("heartbeat"))["clock_ms"]
    assert before <= home.plugin.calls[-1]["clock_ms"] <= after


async def test_hello_again_finds_what_was_registered(home: Home) -> None:
    again = await home.plugin.hello([home.serial])
    assert again["hash"] == "h1"
    assert again["disabled"] == [home.id("hidden")]


@pytest.mark.parametrize(("least", "most", "issue"), [(2, 3, "companion_too_old"), (-1, 0, "plugin_too_old")])
async def test_versions_that_do_not_meet(core: Client, plugin: Plugin, least: int, most: int, issue: str) -> None:
    with pytest.raises(Refused) as refused:
        await plugin.hello([], least=least, most=most)
    assert refused.value.code == "incompatible_protocol"
    assert issue.split("_", maxsplit=1)[0] in str(refused.value)

    async def keys() -> list[str]:
        issues = (await core.ask("repairs/list_issues"))["issues"]
        return [i["translation_key"] for i in issues if i["issue_id"].endswith(plugin.installation)]

    assert await keys() == [issue]
    await plugin.hello([])
    assert await keys() == []


HELLO = {
    "protocol": {"min": 1, "max": 1},
    "plugin_version": "1",
    "installation": "test",
    "epoch": 1,
    "devices": [],
}


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        *(("hello", {k: v for k, v in HELLO.items() if k != missing}) for missing in HELLO),
        ("hello", HELLO | {"installation": ""}),
        ("hello", HELLO | {"installation": "x" * 65}),
        ("hello", HELLO | {"epoch": 1.5}),
        ("hello", HELLO | {"protocol": {"min": 1}}),
        ("hello", HELLO | {"devices": [1]}),
        ("states", {}),
        ("states", {"s": {}, "c": {"x": 1}}),
        ("result", {"call_id": "x"}),
        ("register", {"seq": 0}),
        ("bye", {"reason": "x", "back_in_ms": -1}),
        ("notice", {"kind": 5}),
    ],
)
async def test_a_malformed_command_changes_nothing(home: Home, command: str, fields: Json) -> None:
    with pytest.raises(Refused) as refused:
        await home.plugin.say(command, **fields)
    assert refused.value.code == "invalid_format"
    assert await home.state("pv_power") == "2345"


async def test_a_session_of_the_past_is_stale(plugin: Plugin) -> None:
    await plugin.hello([])
    plugin.session += 1000
    with pytest.raises(Refused) as refused:
        await plugin.say("heartbeat")
    assert refused.value.code == "stale_session"


async def test_a_session_belongs_to_its_connection(home: Home, address: tuple[str, str]) -> None:
    async with Plugin(*address) as thief:
        thief.session = home.plugin.session
        with pytest.raises(Refused) as refused:
            await thief.say("states", s={home.id("pv_power"): 1})
        assert refused.value.code == "stale_session"


async def test_the_newest_hello_wins(home: Home, address: tuple[str, str]) -> None:
    old = home.plugin
    old.ignore = True
    pending = home.core.begin("call_service", domain="number", service="set_value",
                              service_data={"entity_id": home["grid_limit"], "value": 7})  # fmt: skip
    await old.event("call")
    async with Plugin(*address, installation=old.installation, epoch=old.epoch) as new:
        assert (await new.hello([home.serial]))["hash"] == "h1"
        await old.event("replaced")
        assert (await pending)["error"]["translation_key"] == "lost"
        with pytest.raises(Refused) as refused:
            await old.say("heartbeat")
        assert refused.value.code == "stale_session"
        assert await home.state("pv_power") == "2345"  # of the old one, until the new one is ready
        await new.states(home.values | {home.id("pv_power"): 1}, d={home.serial: {"online": True}})
        assert await home.state("pv_power") == "1"
        await old.close()  # a stale close
        await asyncio.sleep(0.3)
        assert await home.state("pv_power") == "1"
        await home.core.act("number.set_value", home["grid_limit"], value=8)
        assert new.registers[home.id("grid_limit")] == 8


async def duplicates(core: Client) -> list[str]:
    issues = (await core.ask("repairs/list_issues"))["issues"]
    return [i["issue_id"] for i in issues if i["translation_key"] == "duplicate_installation"]


@pytest.mark.parametrize("older", [1, -1])
async def test_a_second_plugin_of_the_same_name_is_refused(home: Home, address: tuple[str, str], older: int) -> None:
    """The one that is connected keeps its place, whichever process is older, and the owner is told."""
    first = home.plugin
    async with Plugin(*address, installation=first.installation, epoch=first.epoch - older) as second:
        with pytest.raises(Refused) as refused:
            await second.hello([home.serial])
        assert refused.value.code == "installation_in_use"
    assert f"duplicate_installation_{first.installation}" in await duplicates(home.core)
    await first.say("heartbeat")
    await home.core.act("number.set_value", home["grid_limit"], value=8)
    assert first.registers[home.id("grid_limit")] == 8


async def test_a_process_that_hangs_loses_its_place(home: Home, address: tuple[str, str]) -> None:
    home.plugin.ignore = True
    async with Plugin(*address, installation=home.plugin.installation, epoch=home.plugin.epoch + 1) as second:
        assert (await second.hello([home.serial]))["hash"] == "h1"
        await home.plugin.event("replaced")
    assert f"duplicate_installation_{home.plugin.installation}" not in await duplicates(home.core)


async def test_a_process_that_ends_while_it_is_asked_loses_its_place(home: Home, address: tuple[str, str]) -> None:
    home.plugin.ignore = True
    async with Plugin(*address, installation=home.plugin.installation, epoch=home.plugin.epoch + 1) as second:
        hello = asyncio.ensure_future(second.hello([home.serial]))
        await home.plugin.event("probe")
        await home.plugin.close()
        assert (await hello)["hash"] == "h1"


async def test_entities_stay_for_the_grace_and_then_go(home: Home) -> None:
    await home.plugin.close()
    await asyncio.sleep(GRACE * 0.4)
    assert await home.state("pv_power") == "2345"
    await home.until("pv_power", "unavailable", GRACE + 2)


async def test_a_call_in_the_grace_waits_for_the_plugin(home: Home, address: tuple[str, str]) -> None:
    await home.plugin.close()
    await asyncio.sleep(0.3)
    pending = asyncio.ensure_future(home.core.act("number.set_value", home["grid_limit"], value=11))
    await asyncio.sleep(0.7)
    async with Plugin(*address, installation=home.plugin.installation) as new:
        await new.hello([home.serial])
        await new.states(home.values, d={home.serial: {"online": True}})
        await pending
        assert await home.state("grid_limit") == "11"


async def test_a_planned_stop_sets_its_own_grace(home: Home) -> None:
    await home.plugin.say("bye", reason="update", back_in_ms=0)
    assert await home.state("pv_power") == "unavailable"
    with pytest.raises(Refused) as refused:
        await home.plugin.say("heartbeat")
    assert refused.value.code == "stale_session"


async def test_a_silent_session_is_dead(home: Home) -> None:
    """The socket is open, and nobody speaks: 25 seconds and the grace."""
    await asyncio.sleep(20)
    assert await home.state("pv_power") == "2345"
    await home.until("pv_power", "unavailable", 5 + GRACE + 3)


async def test_without_ready_nothing_is_shown(core: Client, plugin: Plugin, serial: str) -> None:
    home = Home(core, plugin, serial)
    await plugin.hello([serial])
    await plugin.register(*house(serial)[:2])
    await home.learn()
    await plugin.say("states", s=home.values, d={serial: {"online": True}})
    assert await home.state("pv_power") == "unavailable"
    await plugin.say("states", s={}, ready=True)
    assert await home.state("pv_power") == "2345"


async def test_who_is_no_administrator_is_refused(core: Client, address: tuple[str, str]) -> None:
    user = (await core.ask("config/auth/create", name="Guest", group_ids=["system-users"]))["user"]
    name = f"guest{user['id'][:8]}"
    try:
        await core.ask("config/auth_provider/homeassistant/create", user_id=user["id"], username=name, password="guest")
        token = await core.login(name, "guest")
        async with Plugin(address[0], token) as guest:
            with pytest.raises(Refused) as refused:
                await guest.hello([])
            assert refused.value.code == "unauthorized"
    finally:
        await core.ask("config/auth/delete", user_id=user["id"])
