"""What a real core does not show at will: a platform that failed, a state that cannot be written, a short device id."""

from types import SimpleNamespace
from typing import Any

import pytest

from solarhub import diagnostics, registries
from solarhub.catalogue import Catalogue, Registration
from solarhub.definitions import EntityDef, EntityState
from solarhub.display import Display
from solarhub.hub import Hub
from solarhub.sensor import SolarHubSensor

POWER = {"id": "1_power_l1", "device": "1", "platform": "sensor", "key": "power_l1", "name": "Power", "unit": "W"}


async def test_a_platform_that_failed_costs_only_its_own_entities(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = SimpleNamespace(async_get_entity_id=lambda *_: None)
    monkeypatch.setattr(registries.er, "async_get", lambda _: registry)
    hub: Any = SimpleNamespace(hass=None, display=Display(SimpleNamespace()))
    entity = EntityDef.parse(POWER)
    assert await registries._async_add(hub, [entity]) == [entity]


def test_an_entity_that_cannot_be_written_disturbs_no_other() -> None:
    hub: Any = SimpleNamespace(state_of=lambda _: EntityState(True, 5), words=frozenset())
    entity = SolarHubSensor(hub, EntityDef.parse(POWER))
    entity.entity_id = "sensor.power"
    written: list[Any] = []

    def write() -> None:
        written.append(entity.native_value)
        raise RuntimeError("refused")

    entity.async_write_ha_state = write
    entity.async_refresh()
    assert written == [5, None]


def test_a_short_device_id_does_not_garble_diagnostics() -> None:
    catalogue = Catalogue()
    new = Registration("h")
    assert new.add([{"id": "1", "name": "Inverter"}], [POWER]) == []
    catalogue.apply("house", new)
    found = diagnostics._without_secrets({"definitions": catalogue.to_json(), "power_l1": 11}, catalogue)
    (entity,) = found["definitions"]["entities"]
    assert (entity["id"], entity["device"], entity["key"]) == ("device 1_power_l1", "device 1", "power_l1")
    assert found["power_l1"] == 11


def test_what_another_version_stored_is_read_as_far_as_it_goes() -> None:
    catalogue = Catalogue()
    catalogue.load({"devices": [{"id": "1", "name": "Inverter"}], "future": 1})
    assert list(catalogue.devices) == ["1"]
    catalogue.load({})
    assert catalogue.devices == {}


def test_an_installation_that_was_renamed_is_dropped() -> None:
    """Its devices changed hands, and it is not connected."""
    catalogue = Catalogue()
    gone = SimpleNamespace(session=None, visible=False)
    hub: Any = SimpleNamespace(catalogue=catalogue, installations={"old": gone, "new": gone})
    for name in ("old", "new"):
        registration = Registration(f"hash of {name}")
        registration.add([{"id": "1", "name": "Inverter"}], [POWER])
        catalogue.apply(name, registration)
    assert catalogue.owners == {"1": "new"}
    assert catalogue.hashes == {"new": "hash of new"}
    Hub.drop_idle(hub)
    assert list(hub.installations) == ["new"]
