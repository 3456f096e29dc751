"""What becomes of definitions and states: PROTOCOL.md, register and states."""

from home import Home
from plugin import Client, Plugin, Refused, device, entity, house
import pytest


async def test_every_platform_shows_its_value(home: Home) -> None:
    shown = {key: await home.state(key) for key in [e["key"] for e in home.entities[:11]]}
    assert shown == {
        "pv_power": "2345",
        "mode": "on grid",
        "started": "2026-11-24T05:00:00+00:00",
        "grid_lost": "off",
        "grid_limit": "75",
        "charge_limit": "40",
        "work_mode": "self use",
        "charge_from_grid": "off",
        "window_start": "22:00:00",
        "window_start_text": "22:00",
        "restart": "unknown",
    }
    assert await home.state("battery_soc") == "81"
    assert await home.state("hidden") is None  # disabled


async def test_attributes_and_registries(home: Home) -> None:
    number = (await home.core.state(home["grid_limit"]))["attributes"]
    assert (number["min"], number["max"], number["step"], number["mode"]) == (0, 5000, 1, "box")
    assert number["unit_of_measurement"] == "W"
    text = (await home.core.state(home["window_start_text"]))["attributes"]
    assert (text["min"], text["max"]) == (5, 5)
    rows = {r["unique_id"]: r for r in await home.core.ask("config/entity_registry/list")}
    assert rows[home.id("grid_limit")]["entity_category"] == "config"
    assert rows[home.id("hidden")]["disabled_by"] == "integration"
    devices = {
        d["identifiers"][0][1]: d for d in await home.core.ask("config/device_registry/list") if d["identifiers"]
    }
    assert devices[f"{home.serial}/battery"]["via_device_id"] == devices[home.serial]["id"]
    assert devices[home.serial]["serial_number"] == home.serial


async def test_a_bad_definition_rejects_itself_only(core: Client, plugin: Plugin, serial: str) -> None:
    await plugin.hello([serial])
    number = {"min": 0, "max": 1, "step": 1}
    bad = {
        "platform": entity(serial, "a", "siren"),
        "category": entity(serial, "b", "sensor", category="config"),
        "min": entity(serial, "c", "number", **(number | {"min": 2})),
        "step": entity(serial, "d", "number", **(number | {"step": 0})),
        "options": entity(serial, "e", "select"),
        "device_class": entity(serial, "f", "sensor", device_class="warmth"),
        "pattern": entity(serial, "g", "text", pattern="("),
        "occurs twice": entity(serial, "good", "sensor"),
        "device": entity("nobody", "h", "sensor"),
        "unit": entity(serial, "i", "sensor", device_class="enum", options=["x"], unit="W"),
        "max_length": entity(serial, "j", "text", max_length=256),
        "icon": entity(serial, "k", "button", icon="flash"),
        "enabled": entity(serial, "l", "sensor") | {"enabled": 1},
    }
    result = await plugin.register([device(serial)], [entity(serial, "good", "sensor", future=1), *bad.values()])
    assert result["created"] == 1
    assert [r["id"] for r in result["rejected"]] == [b["id"] for b in bad.values()]
    for word, rejected in zip(bad, result["rejected"], strict=True):
        assert word in rejected["message"]


async def test_frames_must_follow_each_other(plugin: Plugin, serial: str) -> None:
    await plugin.hello([serial])
    frame = {"hash": "h", "last": False, "devices": [], "entities": []}
    await plugin.say("register", seq=0, **frame)
    for wrong in (
        {"seq": 2},
        {"seq": 1, "hash": "other"},
        {"seq": 1},
    ):  # the last one: a registration that was given up
        with pytest.raises(Refused) as refused:
            await plugin.say("register", **(frame | wrong))
        assert refused.value.code == "bad_sequence"
    many = [entity(serial, str(i), "sensor") for i in range(201)]
    with pytest.raises(Refused) as refused:
        await plugin.say("register", seq=0, last=True, hash="h", devices=[device(serial)], entities=many)
    assert refused.value.code == "invalid_format"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pv_power", "much"),
        ("mode", "dancing"),
        ("started", "yesterday"),
        ("grid_lost", 1),
        ("grid_limit", "75"),
        ("work_mode", "party"),
        ("charge_from_grid", "on"),
        ("window_start", "25:00"),
        ("window_start_text", "9:00"),
        ("pv_power", None),
    ],
)
async def test_a_value_that_does_not_fit_is_unknown_and_disturbs_no_other(home: Home, key: str, value: object) -> None:
    await home.plugin.say("states", s={home.id(key): value, home.id("battery_soc"): 12})
    assert await home.state(key) == "unknown"
    assert await home.state("battery_soc") == "12"
    await home.plugin.say("states", s={home.id(key): home.values[home.id(key)]})
    assert await home.state(key) != "unknown"


async def test_ids_that_nobody_knows_are_named(home: Home) -> None:
    values = {"nobody": 1, home.id("pv_power"): 5, home.id("hidden"): 2}
    assert (await home.plugin.say("states", s=values))["unknown"] == ["nobody"]
    assert await home.state("pv_power") == "5"


async def test_a_cached_value_says_when_it_was_read(home: Home) -> None:
    read_at = "2026-11-24T09:00:00+01:00"
    await home.plugin.say("states", s={home.id("pv_power"): 7}, c={home.id("pv_power"): read_at})
    assert (await home.core.state(home["pv_power"]))["attributes"]["read_at"] == read_at
    await home.plugin.say("states", s={home.id("pv_power"): 7})
    assert "read_at" not in (await home.core.state(home["pv_power"]))["attributes"]


async def test_availability_of_entities_devices_and_parts(home: Home) -> None:
    say, keys = home.plugin.say, ("pv_power", "grid_limit", "battery_soc")

    async def available() -> str:
        return "".join(["-" if await home.state(key) == "unavailable" else "+" for key in keys])

    await say("states", s={}, u={home.id("pv_power"): False})
    assert await available() == "-++"
    await say("states", s={}, u={home.id("pv_power"): True}, d={f"{home.serial}/battery": {"online": False}})
    assert await available() == "++-"
    await say("states", s={}, d={home.serial: {"online": False, "reason": "no answer"}})
    assert await available() == "---"
    await say("states", s={}, d={home.serial: {"online": True}, f"{home.serial}/battery": {"online": True}})
    assert await available() == "+++"
    await say("states", s={}, d={home.serial: {"online": False}})  # a part that was told is as it was told
    assert await available() == "--+"


async def test_definitions_change(home: Home) -> None:
    new = [e for e in home.entities if e["key"] not in ("mode", "soc")]
    new = [e | {"options": ["self use", "other"]} if e["key"] == "work_mode" else e for e in new]
    new = [e | {"platform": "binary_sensor", "category": None} if e["key"] == "charge_from_grid" else e for e in new]
    new.append(entity(home.serial, "extra", "sensor"))
    result = await home.plugin.register(home.devices[:1], new, "h2")  # without the battery
    assert result == {"created": 1, "updated": 2, "removed": 2, "rejected": []}
    gone = home["mode"]
    before = dict(home.names)
    await home.learn()
    assert await home.core.state(gone) is None
    assert home.id("battery_soc") not in home.names
    assert home["charge_from_grid"].startswith("binary_sensor.")
    assert before[home.id("work_mode")] == home["work_mode"]
    assert (await home.core.state(home["work_mode"]))["attributes"]["options"] == ["self use", "other"]
    assert await home.state("work_mode") == "self use"
    assert await home.state("pv_power") == "2345"
    assert (await home.plugin.hello([home.serial]))["hash"] == "h2"


async def test_a_device_that_is_not_named_again_is_kept(home: Home) -> None:
    other = f"{home.serial}B"
    await home.plugin.register([device(other)], [entity(other, "pv_power", "sensor")], "h2")
    assert await home.state("pv_power") == "2345"


async def test_another_installation_takes_a_device_over(home: Home, address: tuple[str, str]) -> None:
    async with Plugin(*address, installation=f"{home.plugin.installation} 2") as other:
        await other.hello([home.serial])
        result = await other.register(*house(home.serial)[:2], "h9")
        assert (result["created"], result["updated"]) == (0, 0)
        assert await home.state("pv_power") == "unavailable"
        await other.states({home.id("pv_power"): 3})
        assert await home.state("pv_power") == "3"
        assert (await home.plugin.say("states", s={home.id("pv_power"): 4}))["unknown"] == [home.id("pv_power")]
        assert await home.state("pv_power") == "3"
    assert (await home.plugin.hello([home.serial]))["hash"] is None
