"""Names, limits and times of the contract with the plugin. plugin/PROTOCOL.md describes it."""

from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "solarhub"

PLATFORMS: Final = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
    Platform.TEXT,
    Platform.TIME,
]

PROTOCOL_MIN: Final = 1
PROTOCOL_MAX: Final = 1

CONF_GRACE: Final = "grace"
GRACE_DEFAULT: Final = 30  # seconds that entities stay available after an unplanned loss
GRACE_MAX: Final = 300  # seconds, for a planned stop too

HEARTBEAT: Final = 10.0  # seconds between two heartbeats of the plugin
SILENCE_MAX: Final = 2.5 * HEARTBEAT  # a session from which nothing came for so long is dead

WRITE_SECONDS: Final = 30.0  # the plugin sends nothing to the device after that
REFRESH_SECONDS: Final = 120.0  # a slow line with many devices needs a minute to read everything
ANSWER_SECONDS: Final = 2.0  # how much longer the companion waits for the answer
PROBE_SECONDS: Final = 3.0  # how long a connected plugin has to answer a probe
CONNECT_SECONDS: Final = 10.0  # how long a call waits for a plugin that is about to come back
DIAGNOSTICS_SECONDS: Final = 10.0

ENTITIES_PER_FRAME: Final = 200
ENTITIES_MAX: Final = 10_000  # in one registration; Home Assistant takes no more for a config entry
DEVICES_MAX: Final = 1_000  # in one registration
STATES_PER_FRAME: Final = 500

ENTITIES_PER_TURN: Final = 100  # added in one turn of the event loop; a new entity takes about 0.33 ms
STATES_PER_TURN: Final = 250  # written in one turn; a browser is disconnected when 4096 messages wait for it
