"""What becomes of definitions and states: PROTOCOL.md, register and states."""

import asyncio
from datetime import UTC, datetime, timedelta

from home import Home
from plugin import Client, Json, Plugin, Refused, device, entity, house
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
        "no device has that id": entity("nobody", "h", "sensor"),
        "unit": entity(serial, "i", "sensor", device_class="enum", options=["x"], unit="W"),
        "max_length": entity(serial, "j", "text", max_length=256),
        "icon": entity(serial, "k", "button", icon="flash"),
        "enabled": entity(serial, "l", "sensor") | {"enabled": 1},
        "must begin with": entity(serial, "m", "sensor") | {"id": "another_m"},
        "characters long": entity(serial, "n", "sensor") | {"name": "n" * 256},
        "precision": entity(serial, "p", "sensor", precision=13),
        "mode": entity(serial, "q", "number", mode="knob", **number),
        "no option may occur twice": entity(serial, "r", "select", options=["a", "a"]),
        "at most 1000 options": entity(serial, "o", "select", options=[str(i) for i in range(1001)]),
    }
    result = await plugin.register(
        [device(serial)], [entity(serial, "good", "sensor", future=1, min="x"), *bad.values()]
    )
    assert result["created"] == 1
    assert [r["id"] for r in result["rejected"]] == [b["id"] for b in bad.values()]
    for word, rejected in zip(bad, result["rejected"], strict=True):
        assert word in rejected["message"]


@pytest.mark.parametrize(
    ("device_id", "via", "message"),
    [
        ("{0}/7", None, "only a part has a /"),
        ("{0}b", "{0}", "must be named"),
        ("{0}", "{0}", "must be named"),
        ("x/{0}/y", "{0}", "must be named"),
    ],
)
async def test_a_device_id_says_what_it_is_a_part_of(
    plugin: Plugin, serial: str, device_id: str, via: str | None, message: str
) -> None:
    await plugin.hello([serial])
    bad = device(device_id.format(serial), via=via and via.format(serial))
    result = await plugin.register([device(f"{serial}B"), device(serial), bad], [])
    assert [r["id"] for r in result["rejected"]] == [bad["id"]]
    assert message in result["rejected"][0]["message"]


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
        ("pv_power", True),
        ("mode", 5),
        ("started", 5),
        ("grid_limit", [1]),
        ("work_mode", 1),
        ("window_start", 360),
        ("window_start", "06:00:30"),
        ("window_start_text", 5),
    ],
)
async def test_a_value_that_does_not_fit_is_unknown_and_disturbs_no_other(home: Home, key: str, value: object) -> None:
    await home.plugin.say("states", s={home.id(key): value, home.id("battery_soc"): 12})
    assert await home.state(key) == "unknown"
    assert await home.state("battery_soc") == "12"
    await home.plugin.say("states", s={home.id(key): home.values[home.id(key)]})
    assert await home.state(key) != "unknown"


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [("window_start", "24:00", "00:00:00"), ("grid_limit", 99999, "99999"), ("grid_limit", 5.5, "5.5")],
)
async def test_a_value_is_shown_though_it_could_not_be_set(home: Home, key: str, value: object, shown: str) -> None:
    await home.plugin.say("states", s={home.id(key): value})
    assert await home.state(key) == shown


async def test_ids_that_nobody_knows_are_named(home: Home) -> None:
    values = {"nobody": 1, home.id("pv_power"): 5, home.id("hidden"): 2}
    assert (await home.plugin.say("states", s=values))["unknown"] == ["nobody"]
    assert await home.state("pv_power") == "5"
    many = {f"nobody{i}": True for i in range(20_000)}
    unknown = await home.plugin.say(
        "states", s={}, u=many, d={"nobody": {"online": True}, home.serial: {"online": True}}
    )
    assert unknown["unknown"] == sorted([*many, "nobody"])


async def test_a_cached_value_says_when_it_was_read(home: Home) -> None:
    read_at = "2026-11-24T09:00:00+01:00"
    await home.plugin.say("states", s={home.id("pv_power"): 7}, c={home.id("pv_power"): read_at})
    assert (await home.core.state(home["pv_power"]))["attributes"]["read_at"] == read_at
    await home.plugin.say("states", s={home.id("pv_power"): 7})
    assert "read_at" not in (await home.core.state(home["pv_power"]))["attributes"]


async def test_when_a_value_was_read_is_not_recorded(home: Home) -> None:
    read_at = "2026-11-24T09:00:00+01:00"
    await home.plugin.say("states", s={home.id("pv_power"): 8}, c={home.id("pv_power"): read_at})
    began = datetime.now(UTC) - timedelta(minutes=5)
    recorded: Json = {}
    async with asyncio.timeout(20):  # the recorder writes every five seconds
        while "8" not in recorded:
            await asyncio.sleep(0.5)
            history = await home.core.ask(
                "history/history_during_period", start_time=began.isoformat(), entity_ids=[home["pv_power"]]
            )
            recorded = {s["s"]: s["a"] for s in history.get(home["pv_power"], []) if "a" in s}
    assert "friendly_name" in recorded["8"]
    assert "read_at" not in recorded["8"]


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


async def test_options_with_words_are_slugs(home: Home) -> None:
    """Home Assistant shows the words in the language of each person."""
    options = {"options": ["selling_first", "zero_export_to_load"], "labels": ["Selling first", "Zero export to load"]}
    new = [e | options | {"quantity": "work_mode"} if e["key"] == "work_mode" else e for e in home.entities]
    await home.plugin.register(home.devices, new, "h2")
    await home.plugin.states({home.id("work_mode"): "selling_first"})
    assert await home.state("work_mode") == "selling_first"
    rows = {r["unique_id"]: r for r in await home.core.ask("config/entity_registry/list")}
    assert rows[home.id("work_mode")]["translation_key"] == "work_mode"
    words = await home.core.ask("frontend/get_translations", language="en", category="entity", integration=["solarhub"])
    word = words["resources"]["component.solarhub.entity.select.work_mode.state.selling_first"]
    assert word == "Selling first"


async def test_a_number_that_nobody_knows_is_an_option_of_its_own(home: Home) -> None:
    """It needs no word, and the others keep their slugs."""
    odd = "10 (unknown)"
    options = {"options": ["selling_first", odd], "labels": ["Selling first", odd], "quantity": "work_mode"}
    new = [e | options if e["key"] == "work_mode" else e for e in home.entities]
    await home.plugin.register(home.devices, new, "h2")
    await home.plugin.states({home.id("work_mode"): odd})
    assert await home.state("work_mode") == odd
    assert (await home.core.state(home["work_mode"]))["attributes"]["options"] == ["selling_first", odd]
    await home.core.act("select.select_option", home["work_mode"], option=odd)
    assert home.plugin.calls[-1]["value"] == odd


async def test_options_without_a_word_show_their_labels(home: Home) -> None:
    """What somebody's own profile names: Home Assistant would show the bare slugs."""
    options = {"options": ["off", "feed_all"], "labels": ["Off", "Feed in everything"], "quantity": "made_up_{n}"}
    new = [e | options if e["key"] == "work_mode" else e for e in home.entities]
    new = [e | options if e["key"] == "mode" else e for e in new]
    await home.plugin.register(home.devices, new, "h2")
    await home.plugin.states({home.id("work_mode"): "feed_all", home.id("mode"): "off"})
    assert await home.state("work_mode") == "Feed in everything"
    assert await home.state("mode") == "Off"
    assert (await home.core.state(home["work_mode"]))["attributes"]["options"] == ["Off", "Feed in everything"]
    for action, data, wanted in (
        ("select.select_option", {"option": "Off"}, "off"),
        ("solarhub.write_value", {"value": "Feed in everything"}, "feed_all"),
        ("solarhub.write_value", {"value": "off"}, "off"),
    ):
        if action.startswith("solarhub"):
            await home.core.act(action, entity_id=home["work_mode"], **data)
        else:
            await home.core.act(action, home["work_mode"], **data)
        assert home.plugin.calls[-1]["value"] == wanted


async def test_a_changed_definition_makes_nothing_unavailable(home: Home, address: tuple[str, str]) -> None:
    """Automations on "from: unavailable" would fire, and so would those on a value that comes back."""
    changes = {
        "pv_power": {"name": "Solar power", "icon": "mdi:solar-power", "precision": 2},
        "grid_limit": {"max": 6000, "step": 10, "mode": "slider", "name": "Limit"},
        "work_mode": {"options": ["self use", "other"]},
        "window_start_text": {"pattern": None},
        "grid_lost": {"device_class": "connectivity", "category": "diagnostic"},
    }
    new = [e | changes.get(e["key"], {}) for e in home.entities]
    async with Client(*address) as watcher:
        seen = await watcher.watch_states([home[key] for key in changes])
        result = await home.plugin.register(home.devices, new, "h2")
        assert result == {"created": 0, "updated": 5, "removed": 0, "rejected": []}
        await watcher.ask("get_config")
    assert {(s["new_state"] or {}).get("state") for s in seen} == {"2345", "75", "self use", "22:00", "off"}
    solar = (await home.core.state(home["pv_power"]))["attributes"]
    assert (solar["friendly_name"], solar["icon"]) == ("Inverter Solar power", "mdi:solar-power")
    limit = (await home.core.state(home["grid_limit"]))["attributes"]
    assert (limit["max"], limit["step"], limit["mode"]) == (6000, 10, "slider")
    await home.core.act("number.set_value", home["grid_limit"], value=5500)
    rows = {r["unique_id"]: r for r in await home.core.ask("config/entity_registry/list")}
    assert rows[home.id("pv_power")]["original_name"] == "Solar power"
    assert rows[home.id("grid_lost")]["entity_category"] == "diagnostic"


async def test_an_entity_of_another_device_cannot_be_taken_over(home: Home, address: tuple[str, str]) -> None:
    other = f"{home.serial}_grid"  # its entity "limit" has the id that "grid_limit" of the first device has
    async with Plugin(*address, installation=f"{home.plugin.installation} 2") as thief:
        await thief.hello([other])
        number = {"min": 0, "max": 9, "step": 1}
        result = await thief.register([device(other)], [entity(other, "limit", "number", **number)], "h2")
        assert (result["created"], [r["id"] for r in result["rejected"]]) == (0, [home.id("grid_limit")])
        assert (await thief.say("states", s={home.id("grid_limit"): 3}))["unknown"] == [home.id("grid_limit")]
        assert await home.state("grid_limit") == "75"
        assert await thief.say("remove", devices=[home.serial, other]) == {"removed": 1, "unknown": [home.serial]}
    assert await home.state("pv_power") == "2345"


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
    await home.open()  # takes it back
