"""What the plugin tells the owner: PROTOCOL.md, section 3, notices.

A device that changes back what was set has another master: a cloud, an app, a schedule of its own. The owner is told
by a repairs issue, one for each setting however often it happens, because that is where Home Assistant shows what
somebody has to look into. It goes by itself, since nobody can confirm such a thing as mended.
"""

from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.event import async_call_later

from .const import DOMAIN
from .definitions import EntityDef, Json

EVENT_REVERTED: Final = f"{DOMAIN}_reverted"

_HELD_SECONDS: Final = 600.0  # a later set-value that lasts so long has made the warning untrue
_OLD_SECONDS: Final = 86400.0  # what happened once and never again need not be looked into


class Notices:
    """The warnings that are shown, each with what takes it away."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Show nothing yet. Issues of an earlier run have ended with it."""
        self._hass = hass
        self._shown: dict[str, CALLBACK_TYPE] = {}  # by issue: stops its timer

    @callback
    def reverted(self, entity: EntityDef, name: str, notice: Json) -> None:
        """Tell that a device no longer holds what an entity was set to."""
        wanted, found, seconds = notice.get("wanted"), notice.get("found"), notice.get("seconds", 0)
        entity_id = er.async_get(self._hass).async_get_entity_id(entity.platform, DOMAIN, entity.id)
        told = {"entity_id": entity_id, "wanted": wanted, "found": found, "seconds": seconds}
        self._hass.bus.async_fire(EVENT_REVERTED, told)
        issue = _issue_of(entity)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="reverted",
            translation_placeholders={
                "name": name,
                "wanted": _text(wanted, entity.unit),
                "found": _text(found, entity.unit),
                "seconds": f"{seconds:.0f}",
            },
        )
        self._go_in(issue, _OLD_SECONDS)

    @callback
    def was_set(self, entity: EntityDef) -> None:
        """Note that an entity was set again: what it was warned of is over if that lasts."""
        if (issue := _issue_of(entity)) in self._shown:
            self._go_in(issue, _HELD_SECONDS)

    @callback
    def forget(self, entity: EntityDef) -> None:
        """Take away the warning of an entity that is no more."""
        self._take_away(_issue_of(entity))

    @callback
    def _go_in(self, issue: str, seconds: float) -> None:
        if (stop := self._shown.pop(issue, None)) is not None:
            stop()
        self._shown[issue] = async_call_later(self._hass, seconds, lambda _: self._take_away(issue))

    @callback
    def _take_away(self, issue: str) -> None:
        if (stop := self._shown.pop(issue, None)) is not None:
            stop()
            ir.async_delete_issue(self._hass, DOMAIN, issue)


def _issue_of(entity: EntityDef) -> str:
    """Return the issue of an entity, which a time of day shares with the text beside it."""
    return f"reverted_{entity.root}_{entity.key}"


def _text(value: Any, unit: str | None) -> str:
    match value:
        case None:
            return "?"
        case bool():
            return "on" if value else "off"
        case float() if value.is_integer():
            value = int(value)
    return f"{value} {unit}" if unit else str(value)
