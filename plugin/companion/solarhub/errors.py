"""What can go wrong with a call, as errors that Home Assistant translates."""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN

# Error codes of PROTOCOL.md, section 5, with the placeholders that their texts may use beside name and reason.
VALIDATION: Final[Mapping[str, tuple[str, ...]]] = {
    "out_of_range": ("value", "min", "max", "unit"),
    "off_step": ("value", "step", "below", "above"),
    "wrong_type": ("value", "expected"),
    "unknown_option": ("value", "options"),
    "read_only": (),
    "not_armed": ("key",),
    "unknown_entity": ("id",),
}
FAILURE: Final[Mapping[str, tuple[str, ...]]] = {
    "not_identified": ("device",),
    "exception": ("device", "register", "code", "text"),
    "not_verified": ("device", "register", "wanted", "found"),
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


def call_error(code: str, name: str, placeholders: Mapping[str, Any] | None = None) -> HomeAssistantError:
    """Return the error for a code of the contract; name is what the person calls the entity or device.

    A code of a newer plugin becomes "failed", and a placeholder that is missing a question mark, so that the text is
    complete in any case.
    """
    given = {key: str(value) for key, value in (placeholders or {}).items()}
    given["reason"] = given.get("reason", code).rstrip(".")  # the texts end with one
    if code not in VALIDATION and code not in FAILURE:
        code = "failed"
    wanted = VALIDATION.get(code, FAILURE.get(code, ()))
    texts = dict.fromkeys(wanted, "?") | given | {"name": name}
    if "unit" in wanted:  # stands right behind a number, and not everything has one
        texts["unit"] = f" {unit}" if (unit := given.get("unit")) else ""
    kind = ServiceValidationError if code in VALIDATION else HomeAssistantError
    return kind(translation_domain=DOMAIN, translation_key=code, translation_placeholders=texts)
