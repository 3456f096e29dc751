"""What Home Assistant counts of the energy counters that devices are known to disturb.

The series are those that a device publishes for the readings, as devices/plausible/testdata/published.json holds them;
the recorder that counts them is Home Assistant's own.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path

from homeassistant import loader
from homeassistant.bootstrap import async_load_base_functionality
from homeassistant.components.recorder import get_instance, statistics
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.config_entries import ConfigEntries
from homeassistant.core import HomeAssistant
from homeassistant.helpers import recorder
from homeassistant.setup import async_setup_component
import pytest

SERIES = Path(__file__).parents[3] / "devices/plausible/testdata/published.json"
FIVE = timedelta(minutes=5)


@pytest.fixture
async def hass(tmp_path: Path) -> AsyncIterator[HomeAssistant]:
    """Return a Home Assistant with nothing but a recorder and sensors."""
    hass = HomeAssistant(str(tmp_path))
    loader.async_setup(hass)
    hass.config_entries = ConfigEntries(hass, {})
    assert await async_load_base_functionality(hass)
    recorder.async_initialize_recorder(hass)
    database = {"recorder": {"db_url": f"sqlite:///{tmp_path}/home.db", "commit_interval": 0}}
    assert await async_setup_component(hass, "recorder", database)
    assert await async_setup_component(hass, "sensor", {})
    await hass.async_start()
    await hass.async_block_till_done()
    yield hass
    await hass.async_stop(force=True)


async def counted(hass: HomeAssistant, series: dict) -> list[float]:
    """Record the states at their times, and return the energy of each hour."""
    attributes = {"device_class": "energy", "state_class": series["state_class"], "unit_of_measurement": "kWh"}
    times = [datetime.fromisoformat(at) for at, _ in series["states"]]
    for at, (_, value) in zip(times, series["states"], strict=True):
        state = "unknown" if value is None else str(value)
        hass.states.async_set("sensor.energy", state, attributes, timestamp=at.timestamp())
    instance = get_instance(hass)
    await instance.async_block_till_done()
    begin = times[0].replace(minute=0, second=0)
    end = times[-1].replace(minute=0, second=0) + timedelta(hours=1)
    at = begin
    while at < end:
        instance.queue_task(StatisticsTask(at, False))
        at += FIVE
    await instance.async_block_till_done()
    rows = await instance.async_add_executor_job(
        statistics.statistics_during_period, hass, begin, end, {"sensor.energy"}, "hour", None, {"change"}
    )
    return [round(row["change"], 4) for row in rows["sensor.energy"]]


@pytest.mark.parametrize("name", json.loads(SERIES.read_text()))
async def test_energy_of_each_hour(hass: HomeAssistant, name: str) -> None:
    series = json.loads(SERIES.read_text())[name]
    assert await counted(hass, series) == series["hours"]


async def test_the_readings_themselves_are_counted_wrong(hass: HomeAssistant) -> None:
    """The test can fail: a counter that reads 0 in between is counted once more."""
    now = datetime(2026, 9, 13, 5, 59, tzinfo=UTC)
    states = [(now.isoformat(), 3.2), ((now + FIVE).isoformat(), 0), ((now + 2 * FIVE).isoformat(), 3.2)]
    assert sum(await counted(hass, {"state_class": "total_increasing", "states": states})) == 3.2
