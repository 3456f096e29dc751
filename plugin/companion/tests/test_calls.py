"""Set-value, actions, scenes and their errors: PROTOCOL.md, sections 4 and 5."""

import asyncio
from pathlib import Path
import re
import time

from home import Home
from plugin import Json, Plugin, Refused
import pytest

PAGE = Path(__file__).parents[2] / "PROTOCOL.md"


def codes() -> dict[str, tuple[str, list[str]]]:
    """Return the table of section 5: code -> kind, placeholders."""
    rows = re.findall(r"^\| `(\w+)` \| (validation|error) \| ?(.*?) ?\|$", PAGE.read_text(), re.M)
    return {code: (kind, re.findall(r"`(\w+)`", rest.split("(")[0])) for code, kind, rest in rows}


@pytest.mark.parametrize(
    ("key", "action", "data", "sent"),
    [
        ("grid_limit", "number.set_value", {"value": 1500}, 1500),
        ("work_mode", "select.select_option", {"option": "backup"}, "backup"),
        ("charge_from_grid", "switch.turn_on", {}, True),
        ("charge_from_grid", "switch.turn_off", {}, False),
        ("window_start", "time.set_value", {"time": "06:30"}, "06:30"),
        ("window_start", "time.set_value", {"time": "06:30:15"}, "06:30:15"),
        ("window_start_text", "text.set_value", {"value": "06:30"}, "06:30"),
    ],
)
async def test_a_value_is_set(home: Home, key: str, action: str, data: dict[str, object], sent: object) -> None:
    if sent == "06:30:15":
        home.plugin.registers[home.id(key)] = "06:30"
        home.plugin.superseded = True  # the toy keeps what it has
    await home.core.act(action, home[key], **data)
    call = home.plugin.calls[-1]
    assert call["value"] == sent
    assert type(call["value"]) is type(sent)
    assert (call["action"], call["id"], call["force"]) == ("set", home.id(key), False)
    assert 29_000 < call["remaining_ms"] <= 30_000


async def test_the_action_returns_when_the_device_has_confirmed(home: Home) -> None:
    home.plugin.delay = 0.4
    began = time.monotonic()
    pending = asyncio.ensure_future(home.core.act("number.set_value", home["grid_limit"], value=1234))
    await asyncio.sleep(0.2)
    assert await home.state("grid_limit") == "75"  # not before
    result = await pending
    assert time.monotonic() - began >= 0.4
    state = await home.core.state(home["grid_limit"])
    assert state["state"] == "1234"
    assert state["context"]["id"] == result["context"]["id"]


async def test_a_slow_confirmation_is_still_the_callers(home: Home) -> None:
    home.plugin.delay = 5.5  # Home Assistant forgets a context after 5 s
    result = await home.core.act("number.set_value", home["grid_limit"], value=1234)
    assert (await home.core.state(home["grid_limit"]))["context"] == result["context"]


async def test_a_button_is_pressed(home: Home) -> None:
    await home.core.act("button.press", home["restart"])
    assert (home.plugin.calls[-1]["action"], home.plugin.calls[-1]["id"]) == ("press", home.id("restart"))


@pytest.mark.parametrize("code", codes())
async def test_every_error_is_translated(home: Home, code: str) -> None:
    kind, names = codes()[code]
    texts = {name: f"<{name}>" for name in [*names, "reason"]}
    home.plugin.refuse = {"code": code, "placeholders": texts}
    with pytest.raises(Refused) as refused:
        await home.core.act("number.set_value", home["grid_limit"], value=1)
    error = refused.value.error
    assert error["translation_key"] == ("not_a_number" if code == "wrong_type" else code)
    assert error["code"] == ("service_validation_error" if kind == "validation" else "home_assistant_error")
    assert "{" not in error["message"]
    assert "?" not in error["message"]
    assert "Grid limit" in error["message"] or code == "unknown_entity"
    assert await home.state("grid_limit") == "75"
    home.plugin.refuse = {"code": code}  # and no placeholder at all
    with pytest.raises(Refused) as refused:
        await home.core.act("number.set_value", home["grid_limit"], value=1)
    assert "{" not in refused.value.error["message"]


@pytest.mark.parametrize("error", [None, {}, {"code": 5}, {"code": None}])
async def test_an_error_without_a_code(home: Home, error: Json | None) -> None:
    home.plugin.ignore = True
    pending = asyncio.ensure_future(home.core.act("number.set_value", home["grid_limit"], value=100))
    call = await home.plugin.event("call")
    await home.plugin.say("result", call_id=call["call_id"], ok=False, error=error)
    with pytest.raises(Refused) as refused:
        await pending
    assert refused.value.error["translation_key"] == "failed"


async def test_an_error_names_the_entity_as_its_owner_does(home: Home) -> None:
    await home.core.ask("config/entity_registry/update", entity_id=home["grid_limit"], name="My limit")
    home.plugin.refuse = {"code": "read_only"}
    with pytest.raises(Refused, match="My limit"):
        await home.core.act("number.set_value", home["grid_limit"], value=1)


async def test_an_error_of_the_future_is_shown_with_its_reason(home: Home) -> None:
    home.plugin.refuse = {"code": "moonlight", "placeholders": {"reason": "The moon is full."}}
    with pytest.raises(Refused) as refused:
        await home.core.act("number.set_value", home["grid_limit"], value=1)
    assert refused.value.error["translation_key"] == "failed"
    assert refused.value.error["message"].endswith("Grid limit: The moon is full")


async def test_a_failed_write_shows_what_was_found(home: Home) -> None:
    home.plugin.ignore = True
    pending = asyncio.ensure_future(home.core.act("number.set_value", home["grid_limit"], value=100))
    call = await home.plugin.event("call")
    error = {"code": "not_verified", "placeholders": {"reason": "x", "wanted": "100", "found": "80"}}
    found = {home.id("grid_limit"): 80}
    await home.plugin.say("result", call_id=call["call_id"], ok=False, error=error, s=found)
    with pytest.raises(Refused, match="80 instead of 100"):
        await pending
    assert await home.state("grid_limit") == "80"


async def test_an_answer_that_nobody_waits_for_is_no_error(home: Home) -> None:
    assert await home.plugin.say("result", call_id="none", ok=True, value=1) is None


async def test_a_connection_is_lost_while_a_call_is_pending(home: Home) -> None:
    """The plugin may not know it and still write, for as long as it can take an old heartbeat for an answered one."""
    home.plugin.ignore = True
    pending = asyncio.ensure_future(home.core.act("number.set_value", home["grid_limit"], value=1))
    await home.plugin.event("call")
    await home.plugin.say("heartbeat")
    began = time.monotonic()
    await home.plugin.close()
    with pytest.raises(Refused) as refused:
        await pending
    assert refused.value.error["translation_key"] == "lost"
    assert 24 < time.monotonic() - began < 27


@pytest.mark.parametrize("later", [0, 1])
async def test_a_lost_call_ends_when_the_plugin_is_back(home: Home, address: tuple[str, str], later: int) -> None:
    home.plugin.ignore = True
    pending = asyncio.ensure_future(home.core.act("number.set_value", home["grid_limit"], value=1))
    await home.plugin.event("call")
    await home.plugin.close()
    await asyncio.sleep(1)
    assert not pending.done()
    async with Plugin(*address, installation=home.plugin.installation, epoch=home.plugin.epoch + later) as new:
        await new.hello([home.serial])
        with pytest.raises(Refused) as refused:
            await asyncio.wait_for(pending, 1)
    assert refused.value.error["translation_key"] == "lost"


async def test_a_process_that_began_earlier_does_not_end_a_lost_call(home: Home, address: tuple[str, str]) -> None:
    home.plugin.ignore = True
    pending = asyncio.ensure_future(home.core.act("number.set_value", home["grid_limit"], value=1))
    await home.plugin.event("call")
    await home.plugin.close()
    async with Plugin(*address, installation=home.plugin.installation, epoch=home.plugin.epoch - 1) as other:
        await other.hello([home.serial])
        await asyncio.sleep(1)
        assert not pending.done()
    pending.cancel()


async def test_no_answer_in_time(home: Home) -> None:
    home.plugin.ignore = True

    async def live() -> None:
        while True:
            await home.plugin.say("heartbeat")
            await asyncio.sleep(5)

    heart = asyncio.ensure_future(live())
    with pytest.raises(Refused) as refused:
        await home.core.act("number.set_value", home["grid_limit"], value=1)
    heart.cancel()
    assert refused.value.error["translation_key"] == "timeout"
    # The caller was told, so nothing may be written any more.
    assert (await home.plugin.event("cancel"))["call_id"] == home.plugin.calls[-1]["call_id"]


async def test_a_caller_who_gives_up_cancels_the_call(home: Home) -> None:
    home.plugin.ignore = True
    name = f"slow_{home.serial.lower()}"
    sequence = [{"action": "number.set_value", "target": {"entity_id": home["grid_limit"]}, "data": {"value": 3}}]
    await home.core.rest("POST", f"/config/script/config/{name}", {"alias": name, "sequence": sequence})
    try:
        await home.core.until(f"script.{name}", bool)
        await home.core.act("script.turn_on", f"script.{name}")
        call = await home.plugin.event("call")
        await home.core.act("script.turn_off", f"script.{name}")
        assert (await home.plugin.event("cancel"))["call_id"] == call["call_id"]
    finally:
        await home.core.rest("DELETE", f"/config/script/config/{name}")


async def test_superseded_is_silent_but_for_write_value(home: Home) -> None:
    home.plugin.superseded = True
    await home.core.act("number.set_value", home["grid_limit"], value=1)
    with pytest.raises(Refused, match="The device holds 75"):
        await home.core.act("solarhub.write_value", entity_id=home["grid_limit"], value="1")


@pytest.mark.parametrize(
    ("key", "value", "sent"),
    [
        ("grid_limit", "1500", 1500),
        ("grid_limit", 12.5, 12.5),
        ("work_mode", "backup", "backup"),
        ("charge_from_grid", "on", True),
        ("charge_from_grid", False, False),
        ("window_start", "06:30", "06:30"),
        ("window_start", 1320, "22:00"),  # what YAML makes of 22:00
        ("window_start_text", "06:30", "06:30"),
    ],
)
async def test_write_value(home: Home, key: str, value: object, sent: object) -> None:
    result = await home.core.act("solarhub.write_value", response=True, entity_id=home[key], value=value, force=True)
    assert (home.plugin.calls[-1]["value"], home.plugin.calls[-1]["force"]) == (sent, True)
    assert result["response"] == {"value": sent}


@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        ("grid_limit", "much", "not_a_number"),
        ("grid_limit", True, "not_a_number"),
        ("charge_from_grid", "maybe", "not_on_or_off"),
        ("window_start", "x", "not_a_time"),
        ("window_start", "unknown", "not_a_value"),
        ("grid_limit", "unavailable", "not_a_value"),
    ],
)
async def test_write_value_of_the_wrong_type(home: Home, key: str, value: object, error: str) -> None:
    with pytest.raises(Refused) as refused:
        await home.core.act("solarhub.write_value", entity_id=home[key], value=value)
    assert refused.value.error["translation_key"] == error
    assert home.plugin.calls == []


@pytest.mark.parametrize("value", [1e30, 18446744073709551616, "-1e19", 2**53 + 2])
async def test_a_number_that_is_far_out_of_range_is_refused_at_once(home: Home, value: object) -> None:
    began = time.monotonic()
    with pytest.raises(Refused) as refused:
        await home.core.act("solarhub.write_value", entity_id=home["grid_limit"], value=value)
    assert refused.value.error["translation_key"] == "out_of_range"
    assert "0 to 5000 W" in refused.value.error["message"]
    assert time.monotonic() - began < 2
    assert home.plugin.calls == []


async def test_a_number_for_what_cannot_be_set_gets_an_answer(home: Home) -> None:
    home.plugin.refuse = {"code": "read_only", "placeholders": {"reason": "it is measured"}}
    with pytest.raises(Refused) as refused:
        await home.core.act("solarhub.write_value", entity_id=home["pv_power"], value=1e30)
    assert refused.value.error["translation_key"] == "read_only"


async def test_a_text_that_is_too_long_goes_nowhere(home: Home) -> None:
    with pytest.raises(Refused) as refused:
        await home.core.act("solarhub.write_value", entity_id=home["work_mode"], value="x" * 256)
    assert refused.value.code == "invalid_format"
    await home.core.act("solarhub.write_value", entity_id=home["work_mode"], value="x" * 255)
    assert [len(call["value"]) for call in home.plugin.calls] == [255]


async def test_a_long_reason_is_cut(home: Home) -> None:
    home.plugin.refuse = {"code": "failed", "placeholders": {"reason": "x" * 100_000}}
    with pytest.raises(Refused) as refused:
        await home.core.act("number.set_value", home["grid_limit"], value=1)
    assert len(refused.value.error["message"]) < 400


async def test_actions_fail_where_the_hosts_own_pretend_success(home: Home) -> None:
    await home.plugin.say("bye", reason="test", back_in_ms=0)
    await home.core.act("number.set_value", home["grid_limit"], value=1)  # reports success and does nothing
    for action, data in (("write_value", {"value": "1"}), ("read_value", {})):
        with pytest.raises(Refused) as refused:
            await home.core.act(
                f"solarhub.{action}", response=action == "read_value", entity_id=home["grid_limit"], **data
            )
        assert refused.value.error["translation_key"] == "not_connected"
    with pytest.raises(Refused) as refused:
        await home.core.act("solarhub.write_value", entity_id="sun.sun", value="1")
    assert refused.value.error["translation_key"] == "unknown_entity"


async def test_read_value_and_refresh(home: Home) -> None:
    result = await home.core.act("solarhub.read_value", response=True, entity_id=home["hidden"])  # disabled, and read
    assert result["response"]["value"] == 401
    assert result["response"]["raw"] == [1500]
    devices = await home.core.ask("config/device_registry/list")
    battery = next(d for d in devices if ["solarhub", f"{home.serial}/battery"] in d["identifiers"])
    await home.core.act("solarhub.refresh", device_id=battery["id"])
    assert (home.plugin.calls[-1]["action"], home.plugin.calls[-1]["device"]) == ("refresh", home.serial)
    with pytest.raises(Refused) as refused:
        await home.core.act("solarhub.refresh", device_id="nobody")
    assert refused.value.error["translation_key"] == "unknown_entity"


async def device_id(home: Home, part: str = "") -> str:
    """Return Home Assistant's own id of the device or a part of it."""
    devices = await home.core.ask("config/device_registry/list")
    return next(d["id"] for d in devices if ["solarhub", home.serial + part] in d["identifiers"])


@pytest.mark.parametrize("part", ["", "/battery"])
@pytest.mark.parametrize(("key", "value", "sent"), [("cell_7", "3.4", "3.4"), ("cell_7", 5, 5), ("grid_limit", "7", 7)])
async def test_a_value_that_is_no_entity(home: Home, part: str, key: str, value: object, sent: object) -> None:
    where = {"device_id": await device_id(home, part), "key": key}
    result = await home.core.act("solarhub.write_value", response=True, value=value, force=True, **where)
    call = home.plugin.calls[-1]
    assert (call["action"], call["id"], call["value"], call["force"]) == ("set", home.id(key), sent, True)
    assert result["response"] == {"value": sent}
    result = await home.core.act("solarhub.read_value", response=True, **where)
    assert (home.plugin.calls[-1]["action"], home.plugin.calls[-1]["id"]) == ("read", home.id(key))
    response = result["response"]
    assert (response["value"], response["unit"], response["raw"], response["age_ms"]) == (sent, "W", [1500], 12)


async def test_a_key_that_is_not_known(home: Home) -> None:
    home.plugin.refuse = {"code": "unknown_key", "placeholders": {"key": "cel_7", "nearest": "cell_7", "reason": "x"}}
    with pytest.raises(Refused, match=r"Inverter cel_7: there is nothing with the key cel_7\. The nearest is cell_7"):
        await home.core.act("solarhub.read_value", response=True, device_id=await device_id(home), key="cel_7")


async def test_a_value_is_named_in_one_way(home: Home) -> None:
    device = await device_id(home)
    for named in ({}, {"key": "x"}, {"device_id": device}, {"entity_id": home["grid_limit"], "key": "x"}):
        with pytest.raises(Refused) as refused:
            await home.core.act("solarhub.read_value", response=True, **named)
        assert refused.value.code == "invalid_format", named
        assert "either an entity_id, or a device_id and a key" in refused.value.error["message"]
    with pytest.raises(Refused) as refused:
        await home.core.act("solarhub.read_value", response=True, device_id="nobody", key="x")
    assert refused.value.error["translation_key"] == "unknown_entity"


async def test_a_group_is_written(home: Home) -> None:
    values = {"window_start": 1320, "grid_limit": "12", "charge_from_grid": "on", "cell_7": "x"}
    sent = {"window_start": "22:00", "grid_limit": 12, "charge_from_grid": True, "cell_7": "x"}
    where = {"device_id": await device_id(home), "group": "window_1"}
    result = await home.core.act("solarhub.write_group", response=True, values=values, **where)
    call = home.plugin.calls[-1]
    assert (call["action"], call["device"], call["group"]) == ("write_group", home.serial, "window_1")
    assert call["values"] == sent
    assert "id" not in call
    assert result["response"] == {"members": {key: {"value": value} for key, value in sent.items()}}
    await home.core.act("solarhub.write_group", values={home["grid_limit"]: "12"}, force=True, **where)
    assert (home.plugin.calls[-1]["values"], home.plugin.calls[-1]["force"]) == ({"grid_limit": 12}, True)
    for key in ("sun.sun", "number.nobody"):
        with pytest.raises(Refused) as refused:
            await home.core.act("solarhub.write_group", values={key: 1}, **where)
        assert refused.value.error["translation_key"] == "unknown_entity"
    with pytest.raises(Refused) as refused:
        await home.core.act("solarhub.write_group", values={"grid_limit": "much"}, **where)
    assert refused.value.error["translation_key"] == "not_a_number"
    refused_of = {"code": "no_answer", "placeholders": {"name": "Grid limit", "device": "Inverter", "register": "r"}}
    for name, told in (("Grid limit", "Inverter Grid limit: "), ("Inverter", "Inverter: ")):
        home.plugin.refuse = refused_of | {"placeholders": refused_of["placeholders"] | {"name": name}}
        with pytest.raises(Refused, match=told):
            await home.core.act("solarhub.write_group", values={"grid_limit": 1}, **where)
    with pytest.raises(Refused) as refused:
        await home.core.act("solarhub.write_group", values={}, **where)
    assert refused.value.code == "invalid_format"
    assert len(home.plugin.calls) == 4


async def test_a_raw_number_that_nobody_knows_comes_back_with_a_scene(home: Home) -> None:
    """The plugin defines it as one more option, which is its own label and hinders no translation of the others."""
    odd = "10 (unknown)"
    entities = [e for e in home.entities if e["key"] != "work_mode"]
    mode = next(e for e in home.entities if e["key"] == "work_mode") | {"labels": ["Self use", "Feed in", "Backup"]}
    for more in ([], [odd]):
        changed = mode | {"options": mode["options"] + more, "labels": mode["labels"] + more}
        await home.plugin.register(home.devices, [*entities, changed], f"h{len(more)}")
    await home.plugin.states({home.id("work_mode"): odd})
    await home.until("work_mode", odd)
    name = f"odd_{home.serial.lower()}"
    await home.core.act("scene.create", scene_id=name, snapshot_entities=[home["work_mode"]])
    await home.core.act("select.select_option", home["work_mode"], option="Backup")
    assert await home.state("work_mode") == "Backup"
    await home.core.act("scene.turn_on", f"scene.{name}")
    assert home.plugin.calls[-1]["value"] == odd
    assert await home.state("work_mode") == odd


async def test_what_is_set_at_once_leaves_at_once(home: Home) -> None:
    """The plugin joins the settings of a group only if none waits for another to be confirmed."""
    home.plugin.delay = 1
    wanted = {"grid_limit": "33", "work_mode": "backup", "charge_from_grid": "on", "window_start_text": "04:15"}
    began = time.monotonic()
    await home.core.act("scene.apply", entities={home[k]: v for k, v in wanted.items()})
    assert time.monotonic() - began < 1.8
    home.plugin.calls.clear()
    alone = {"value": 7}
    await asyncio.gather(*(home.core.act("number.set_value", home[k], **alone) for k in ("grid_limit", "charge_limit")))
    await home.core.act("number.set_value", entity_id=[home["grid_limit"], home["charge_limit"]], value=8)
    sent = [call["clock_ms"] for call in home.plugin.calls]
    assert len(sent) == 4
    assert sent[1] - sent[0] < 300
    assert sent[3] - sent[2] < 300


async def test_a_scene_takes_a_snapshot_and_brings_it_back(home: Home) -> None:
    keys = ["grid_limit", "work_mode", "charge_from_grid", "window_start_text"]
    name = f"snap_{home.serial.lower()}"
    await home.core.act("scene.create", scene_id=name, snapshot_entities=[home[k] for k in keys])
    wanted = {"grid_limit": "33", "work_mode": "backup", "charge_from_grid": "on", "window_start_text": "04:15"}
    await home.core.act("scene.apply", entities={home[k]: v for k, v in wanted.items()})
    assert {k: await home.state(k) for k in keys} == wanted
    home.plugin.calls.clear()
    await home.core.act("scene.turn_on", f"scene.{name}")
    assert {c["id"]: c["value"] for c in home.plugin.calls} == {home.id(k): home.values[home.id(k)] for k in keys}
    home.plugin.calls.clear()
    await home.core.act("scene.turn_on", f"scene.{name}")
    assert home.plugin.calls == []  # numbers too are spelled the same before and after a write
