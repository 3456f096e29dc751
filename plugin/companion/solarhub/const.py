"""Words and times of the contract with the plugin, which plugin/PROTOCOL.md describes."""

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
GRACE_MAX: Final = 300  # also for a planned one

HEARTBEAT: Final = 10.0  # seconds between two heartbeats of the plugin
SILENCE_MAX: Final = 2.5 * HEARTBEAT  # a session that sent nothing for so long is dead

WRITE_SECONDS: Final = 30.0  # until the plugin must have sent a set-value to the device
REFRESH_SECONDS: Final = 120.0  # a slow line with many devices needs a minute for everything
ANSWER_SECONDS: Final = 2.0  # beyond those, for the answer
CONNECT_SECONDS: Final = 10.0  # a call waits so long for a plugin that is about to return
DIAGNOSTICS_SECONDS: Final = 10.0

ENTITIES_PER_FRAME: Final = 200
STATES_PER_FRAME: Final = 500

ENTITIES_PER_TURN: Final = 100  # added in one turn of the event loop: a new one costs about 0.33 ms
STATES_PER_TURN: Final = 250  # written in one turn of the event loop: browsers are thrown out when 4096 messages wait
