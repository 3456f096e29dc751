"""What the plugin tells the owner: PROTOCOL.md, section 3, notices."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from home import Home
from plugin import Client, Json, Refused
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
    shown.reverted(entity, "X", {"wanted": True, "found": False, "seconds": 1})
    assert issues == {"reverted_S_x"}
    assert [seconds for seconds, _ in timers.values()] == [86400]
    shown.was_set(entity)
    assert [seconds for seconds, _ in timers.values()] == [600]
    shown.reverted(entity, "X", {"wanted": True, "found": False, "seconds": 1})  # it did not last
    ((seconds, then),) = timers.values()
    assert seconds == 86400
    then(None)
    assert not issues
