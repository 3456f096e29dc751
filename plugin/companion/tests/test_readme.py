"""Every example of README that Home Assistant takes, as a person would paste it."""

from pathlib import Path
import re
from typing import Any

from home import Home
from plugin import Client, Json, Plugin, device, entity
import pytest
import yaml

README = (Path(__file__).parents[3] / "README.md").read_text()
EXAMPLES: list[Any] = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", README, re.S)]
SCENES = [item for block in EXAMPLES if isinstance(block, list) for item in block if "entities" in item]
ACTIONS = [item for block in EXAMPLES if isinstance(block, list) for item in block if "action" in item]


@pytest.fixture
async def roof(core: Client, plugin: Plugin, serial: str) -> Home:
    """Return a home whose entities have the names that README uses. plugin/cli holds these to the profile."""
    home = Home(core, plugin, serial)
    number = {"min": 0, "max": 240, "step": 1, "unit": "A"}
    options = ["selling_first", "zero_export_to_load", "zero_export_to_ct"]
    home.devices = [device(serial, "Roof inverter")]
    home.entities = [
        entity(serial, "current", "number", name="Battery charge current limit", **number),
        entity(serial, "mode", "select", name="Work mode", options=options),
        entity(serial, "start_text", "text", name="Window 1 start text"),
        entity(serial, "start", "time", name="Window 1 start"),
    ]
    home.values = {home.id("current"): 30, home.id("mode"): options[0], home.id("start_text"): "00:00"}
    home.values |= {home.id("start"): "00:00"}
    await home.open()
    return home


def test_there_are_examples() -> None:
    assert len(SCENES) == 1
    assert [item["action"] for item in ACTIONS] == ["solarhub.write_value", "solarhub.read_value", "solarhub.refresh"]


@pytest.mark.parametrize("scene", SCENES)
async def test_a_scene(roof: Home, scene: Json) -> None:
    """A scene with a state that is not a text is refused as a whole, and activating it reports success."""
    name = f"readme_{roof.serial.lower()}"
    await roof.core.rest("POST", f"/config/scene/config/{name}", scene | {"id": name})
    try:
        await roof.core.until(f"scene.{scene['name'].lower().replace(' ', '_')}", bool)
        await roof.core.act("scene.turn_on", f"scene.{scene['name'].lower().replace(' ', '_')}")
    finally:
        await roof.core.rest("DELETE", f"/config/scene/config/{name}")
    assert {c["id"]: c["value"] for c in roof.plugin.calls} == {
        roof.id("current"): 60,
        roof.id("mode"): "zero_export_to_load",
        roof.id("start_text"): "01:30",
    }


@pytest.mark.parametrize("example", ACTIONS, ids=lambda example: example["action"])
async def test_an_action(roof: Home, example: Json) -> None:
    """Run the example as the only step of a script, as an automation would."""
    devices = await roof.core.ask("config/device_registry/list")
    step = example | {"data": dict(example["data"])}
    if "device_id" in step["data"]:
        step["data"]["device_id"] = next(d["id"] for d in devices if ["solarhub", roof.serial] in d["identifiers"])
    name = f"readme_{roof.serial.lower()}"
    await roof.core.rest("POST", f"/config/script/config/{name}", {"alias": name, "sequence": [step]})
    try:
        await roof.core.until(f"script.{name}", bool)
        await roof.core.act(f"script.{name}")
    finally:
        await roof.core.rest("DELETE", f"/config/script/config/{name}")
    call = roof.plugin.calls[-1]
    assert (
        call["action"]
        == {"write_value": "set", "read_value": "read", "refresh": "refresh"}[
            example["action"].removeprefix("solarhub.")
        ]
    )
    assert call.get("value", "22:30") == "22:30"
