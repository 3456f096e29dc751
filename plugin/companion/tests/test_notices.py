"""What the plugin tells the owner: PROTOCOL.md, section 3, notices."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from home import Home
from plugin import Client, Json, Refused, device, entity
import pytest

from solarhub import notices
from solarhub.definitions import EntityDef


async def issues(core: Client, serial: str) -> list[Json]:
    """Return the repairs issues of one device."""
    return [i for i in (await core.ask("repairs/list_issues"))["issues"] if serial in i["issue_id"]]


async def revert(home: Home, key: str, wanted: Any, found: Any, seconds: float = 42.4) -> None:
    await home.plugin.say(
        "notice", kind="reverted", entity=home.id(key), wanted=wanted, found=found, seconds=seconds, future="ignored"
    )


async def test_a_value_that_does_not_stay(home: Home) -> None:
    told: asyncio.Queue[Json] = asyncio.Queue()

    async def note(event: Json) -> None:
        told.put_nowait(event["data"])

    home.core.on_event = note
    await home.core.ask("subscribe_events", event_type="solarhub_reverted")
    await revert(home, "grid_limit", 75, 60)
    async with asyncio.timeout(5):
        assert await told.get() == {"entity_id": home["grid_limit"], "wanted": 75, "found": 60, "seconds": 42.4}
    (issue,) = await issues(home.core, home.serial)
    assert (issue["translation_key"], issue["severity"], issue["is_fixable"]) == ("reverted", "warning", False)
    assert issue["translation_placeholders"] == {
        "name": "Inverter Grid limit",
        "wanted": "75 W",
        "found": "60 W",
        "seconds": "42",
    }


async def test_one_warning_for_each_setting(home: Home) -> None:
    await revert(home, "charge_from_grid", wanted=True, found=False)
    await revert(home, "charge_from_grid", wanted=False, found=True, seconds=7)
    await revert(home, "work_mode", "feed in", None)
    by_name = {i["translation_placeholders"]["name"]: i for i in await issues(home.core, home.serial)}
    assert sorted(by_name) == ["Inverter Charge from grid", "Inverter Work mode"]
    assert by_name["Inverter Charge from grid"]["translation_placeholders"]["found"] == "on"
    assert by_name["Inverter Work mode"]["translation_placeholders"]["found"] == "?"
    await home.core.act("number.set_value", home["grid_limit"], value=5)  # another setting: nothing goes
    assert len(await issues(home.core, home.serial)) == 2
    await home.plugin.say("remove", devices=[home.serial])
    assert await issues(home.core, home.serial) == []


async def test_a_value_that_is_taken_over_later(home: Home) -> None:
    told: asyncio.Queue[Json] = asyncio.Queue()

    async def note(event: Json) -> None:
        told.put_nowait(event["data"])

    home.core.on_event = note
    await home.core.ask("subscribe_events", event_type="solarhub_taken_over")
    await revert(home, "grid_limit", 75, 60)
    entity = home.id("grid_limit")
    await home.plugin.say("notice", kind="taken_over", entity=entity, wanted=75, found=75, seconds=301.2)
    async with asyncio.timeout(5):
        assert await told.get() == {"entity_id": home["grid_limit"], "wanted": 75, "found": 75, "seconds": 301.2}
    (issue,) = await issues(home.core, home.serial)  # instead of the warning
    assert issue["translation_key"] == "taken_over"
    assert issue["translation_placeholders"]["seconds"] == "301"


async def test_problems_of_a_device(home: Home) -> None:
    async def tell(problems: Json | None) -> None:
        await home.plugin.say("states", s={}, d={home.serial: {"online": True, "problems": problems}})

    replaced = {"found": "SN2"}
    await tell({"replaced": replaced, "of the future": {}, "unidentified": 5})
    (issue,) = await issues(home.core, home.serial)
    assert (issue["translation_key"], issue["severity"], issue["is_fixable"]) == ("replaced", "error", True)
    texts = {"name": "Inverter", "id": home.serial, "found": "SN2"}
    assert issue["translation_placeholders"] == texts
    await tell({"replaced": {"found": "SN3"}})
    (issue,) = await issues(home.core, home.serial)
    assert issue["translation_placeholders"] == texts | {"found": "SN3"}
    await tell(None)
    assert await issues(home.core, home.serial) == []
    await tell({"replaced": replaced})
    await home.plugin.say("remove", devices=[home.serial])
    assert await issues(home.core, home.serial) == []


async def test_a_clock_that_is_wrong(home: Home) -> None:
    async def tell(seconds: float, reason: str = "") -> list[Json]:
        entity = home.id("started")
        await home.plugin.say("notice", kind="clock", entity=entity, seconds=seconds, reason=reason, found="06:00")
        return await issues(home.core, home.serial)

    assert await tell(0) == []
    (issue,) = await tell(-425)
    assert (issue["translation_key"], issue["is_fixable"]) == ("clock", False)
    assert issue["translation_placeholders"] == {"name": "Inverter", "deviation": "-7 min"}
    (issue,) = await tell(3600, "summer_time")
    assert issue["translation_key"] == "clock_summer_time"
    assert issue["translation_placeholders"]["deviation"] == "+60 min"
    assert await tell(0) == []
    await tell(-425)
    await home.plugin.say("remove", devices=[home.serial])
    assert await issues(home.core, home.serial) == []


async def test_a_counter_that_begins_anew(home: Home) -> None:
    await home.plugin.say("notice", kind="counter", entity=home.id("pv_power"), wanted=5354.8, found=12)
    (issue,) = await issues(home.core, home.serial)
    texts = {"name": "Inverter Pv power", "before": "5354.8 W", "now": "12 W"}
    assert (issue["translation_key"], issue["translation_placeholders"]) == ("counter", texts)


async def test_a_replaced_device_is_taken_over(home: Home) -> None:
    replaced = {home.serial: {"online": False, "problems": {"replaced": {"found": "SN2"}}}}
    await home.plugin.say("states", s={}, d=replaced)
    (issue,) = await issues(home.core, home.serial)

    async def fix() -> Json:
        start = {"handler": "solarhub", "issue_id": issue["issue_id"]}
        form = await home.core.rest("POST", "/repairs/issues/fix", start)
        assert (form["type"], form["step_id"]) == ("form", "confirm")
        assert form["description_placeholders"] == {"name": "Inverter", "id": home.serial, "found": "SN2"}
        return await home.core.rest("POST", f"/repairs/issues/fix/{form['flow_id']}", {})

    home.plugin.refuse = {"code": "no_answer", "placeholders": {"device": "Inverter", "register": "holding 3"}}
    failed = await fix()
    assert (failed["type"], failed["reason"]) == ("abort", "failed")
    assert "Inverter does not answer" in failed["description_placeholders"]["reason"]
    assert len(await issues(home.core, home.serial)) == 1
    home.plugin.refuse = None
    assert (await fix())["type"] == "create_entry"
    call = home.plugin.calls[-1]
    assert (call["action"], call["device"], call["found"]) == ("replace", home.serial, "SN2")
    assert await issues(home.core, home.serial) == []


async def test_a_device_that_was_never_identified(home: Home) -> None:
    name = f"{home.serial}Place"
    pending = device(name, "Roof", serial_number=None, pending=True)
    status = entity(name, "status", "sensor", category="diagnostic")
    model = entity(name, "choice_model", "select", options=["a", "b"], labels=["A one", "B one"], category="config")
    await home.plugin.register([*home.devices, pending], [*home.entities, status, model], "h2")
    reason = "unit 1 gives no serial number"
    told = {"online": True, "problems": {"unidentified": {"reason": reason, "advice": "give it an id"}}}
    await home.plugin.states({status["id"]: reason, model["id"]: None}, d={name: told})
    await home.learn()
    assert (await home.core.state(home.names[status["id"]]))["state"] == reason
    assert (await home.core.state(home.names[model["id"]]))["state"] == "unknown"
    (issue,) = await issues(home.core, name)
    assert issue["translation_placeholders"] == {"name": "Roof", "reason": reason, "advice": "give it an id"}
    await home.core.act("select.select_option", home.names[model["id"]], option="B one")
    assert home.plugin.calls[-1]["value"] == "b"
    done = await home.plugin.register(home.devices, home.entities, "h3")
    assert done["removed"] == 2
    assert await issues(home.core, name) == []
    assert await home.core.state(home.names[status["id"]]) is None
    assert not [d for d in await home.core.ask("config/device_registry/list") if ["solarhub", name] in d["identifiers"]]


async def test_a_plugin_that_cannot_save(home: Home) -> None:
    name = home.plugin.installation

    async def shown() -> list[Json]:
        return [i for i in await issues(home.core, name) if i["translation_key"] == "cache"]

    for reason in ("no space left on device", "input/output error"):
        await home.plugin.say("notice", kind="cache", reason=reason)
        (issue,) = await shown()
        assert (issue["severity"], issue["is_fixable"]) == ("warning", False)
        assert issue["translation_placeholders"] == {"installation": name, "reason": reason}
    await home.plugin.say("notice", kind="cache")
    assert await shown() == []
    await home.plugin.say("notice", kind="cache", reason="")  # as at each start
    assert await shown() == []


async def test_notices_that_are_not_known(home: Home) -> None:
    await home.plugin.say("notice", kind="of the future", entity=home.id("grid_limit"))
    await home.plugin.say("notice", kind="reverted", entity="nobody_x", wanted=1, found=2, seconds=3)
    assert await issues(home.core, home.serial) == []
    with pytest.raises(Refused) as refused:
        await home.plugin.say("notice", entity=home.id("grid_limit"))
    assert refused.value.code == "invalid_format"


async def test_a_warning_goes_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """The times of Notices are too long for the core that the other tests use."""
    timers: dict[int, tuple[float, Callable[[None], None]]] = {}
    issues: set[str] = set()

    def call_later(_: object, seconds: float, then: Callable[[None], None]) -> Callable[[], None]:
        number = len(timers)
        timers[number] = (seconds, then)
        return lambda: timers.pop(number, None) and None

    registry = SimpleNamespace(async_get_entity_id=lambda *_: "number.x")
    hass = SimpleNamespace(bus=SimpleNamespace(async_fire=lambda *_: None))
    monkeypatch.setattr(notices, "async_call_later", call_later)
    monkeypatch.setattr(notices.er, "async_get", lambda _: registry)
    monkeypatch.setattr(notices.ir, "async_create_issue", lambda _, __, issue, **___: issues.add(issue))
    monkeypatch.setattr(notices.ir, "async_delete_issue", lambda _, __, issue: issues.discard(issue))
    entity = EntityDef.parse({"id": "S_x", "device": "S/battery", "platform": "switch", "key": "x", "name": "X"})

    shown = notices.Notices(hass)
    shown.was_set(entity)
    assert not timers
    shown.changed("reverted", entity, "X", {"wanted": True, "found": False, "seconds": 1})
    assert issues == {"changed_S_x"}
    assert [seconds for seconds, _ in timers.values()] == [86400]
    shown.was_set(entity)
    assert [seconds for seconds, _ in timers.values()] == [600]
    shown.changed("reverted", entity, "X", {"wanted": True, "found": False, "seconds": 1})  # it did not last
    ((seconds, then),) = timers.values()
    assert seconds == 86400
    then(None)
    assert not issues
