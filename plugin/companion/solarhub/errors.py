"""The errors of calls, as exceptions that Home Assistant translates."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN, Platform
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN
from .definitions import TEXT_MAX

# The codes of PROTOCOL.md, section 5, with the placeholders that their texts may use besides name and reason.
VALIDATION: Final[Mapping[str, tuple[str, ...]]] = {
    "out_of_range": ("value", "min", "max", "unit"),
    "off_step": ("value", "step", "below", "above"),
    "wrong_type": ("value",),
    "unknown_option": ("value", "options"),
    "read_only": (),
    "not_armed": ("key",),
    "unknown_entity": ("id",),
    "unknown_key": ("key", "nearest"),
}
FAILURE: Final[Mapping[str, tuple[str, ...]]] = {
    "not_identified": ("device",),
    "exception": ("device", "register", "code", "text"),
    "not_verified": ("device", "register", "wanted", "found"),
    "several_failed": ("device", "group"),
    "step_failed": ("device", "register"),
    "not_acknowledged": ("device", "register", "wanted", "found"),
    "no_answer": ("device", "register"),
    "line_down": ("device", "line"),
    "expired": ("seconds",),
    "outcome_unknown": ("device", "register"),
    "superseded": ("value",),
    "queue_full": (),
    "cancelled": (),
    "stopping": (),
    "failed": (),
    "not_connected": (),
    "lost": (),
    "timeout": ("seconds",),
}

# The translation keys of wrong_type where the platform says what kind of value is needed.
_WRONG_TYPE: Final = {
    Platform.NUMBER: "not_a_number",
    Platform.SWITCH: "not_on_or_off",
    Platform.TIME: "not_a_time",
}

# And where there was no value when a scene was made, which hands over the state of that time.
_NO_VALUE: Final = {
    STATE_UNKNOWN: "not_a_value",
    STATE_UNAVAILABLE: "not_a_value",
}


def call_error(
    code: str, name: str, placeholders: Mapping[str, Any] | None = None, platform: Platform | None = None
) -> HomeAssistantError:
    """Return the exception for a code of the contract. name is what the owner calls the entity or device.

    The text is complete in any case: a code that this version does not know becomes "failed", and a placeholder that is
    missing becomes a question mark.
    """
    given = {key: str(value)[:TEXT_MAX] for key, value in (placeholders or {}).items()}
    given["reason"] = given.get("reason", code).rstrip(".")  # the texts end with a full stop of their own
    if code not in VALIDATION and code not in FAILURE:
        code = "failed"
    wanted = VALIDATION.get(code, FAILURE.get(code, ()))
    texts = dict.fromkeys(wanted, "?") | given | {"name": name}
    if "unit" in wanted:  # follows a number directly, and not every number has a unit
        texts["unit"] = f" {unit}" if (unit := given.get("unit")) else ""
    kind = ServiceValidationError if code in VALIDATION else HomeAssistantError
    key = _WRONG_TYPE.get(platform, code) if platform is not None and code == "wrong_type" else code
    if code == "wrong_type":
        key = _NO_VALUE.get(given.get("value", ""), key)
    return kind(translation_domain=DOMAIN, translation_key=key, translation_placeholders=texts)
