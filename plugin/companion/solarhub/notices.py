"""The warnings that the owner sees as repairs issues.

Home Assistant shows there what somebody has to look into. Each of these issues disappears by itself when its reason
does, at the latest when the integration is removed. Only one can be fixed in Home Assistant: see repairs.py.
"""

from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.event import async_call_later

from .const import DOMAIN
from .definitions import TEXT_MAX, DeviceDef, EntityDef, Json

_EVENTS: Final = {"reverted": f"{DOMAIN}_reverted", "taken_over": f"{DOMAIN}_taken_over"}

# What can be wrong with a device: PROTOCOL.md, section 3. The texts of each have these placeholders besides name.
_PROBLEMS: Final = {
    "unidentified": (ir.IssueSeverity.ERROR, ("reason", "advice")),
    "replaced": (ir.IssueSeverity.ERROR, ("id", "found")),
}

_HELD_SECONDS: Final = 600.0  # a set-value that lasts so long proves the warning before it wrong
_OLD_SECONDS: Final = 86400.0  # what happened once and never again is not worth a warning
_CACHE_SECONDS: Final = 900.0  # a plugin that still cannot save says so every 5 minutes
_CLOCK_SECONDS: Final = 3600.0  # a clock that is still wrong is told of every few minutes
_DUPLICATE_SECONDS: Final = 900.0  # a plugin that was refused tries again every minute


class Notices:
    """The issues that are shown, and the timers that remove them."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Show nothing. The issues of an earlier run of Home Assistant ended with it."""
        self._hass = hass
        self._timers: dict[str, CALLBACK_TYPE | None] = {}  # by issue; None if only an event removes it

    @callback
    def problems(self, device: DeviceDef, found: Any) -> None:
        """Show what is wrong with a device now. What was wrong before and is not any more disappears."""
        found = found if isinstance(found, dict) else {}
        for kind, (severity, names) in _PROBLEMS.items():
            issue, fields = f"{kind}_{device.id}", found.get(kind)
            if not isinstance(fields, dict):
                self._remove(issue)
                continue
            fields |= {"id": device.id}
            placeholders = {name: str(fields.get(name, ""))[:TEXT_MAX] for name in names} | {"name": device.name}
            fix: dict[str, str | int | float | None] | None = None
            if kind == "replaced":
                fix = {"device": device.id, "found": placeholders["found"]}
            self._show(issue, kind, placeholders, severity, fix)

    @callback
    def changed(self, kind: str, entity: EntityDef, name: str, notice: Json) -> None:
        """Tell the owner that a setting is another than it was left with: PROTOCOL.md, section 3.

        Of the kind reverted, the device no longer holds what was set; of the kind taken_over, it holds it after all.
        """
        wanted, found, seconds = notice.get("wanted"), notice.get("found"), notice.get("seconds", 0)
        entity_id = er.async_get(self._hass).async_get_entity_id(entity.platform, DOMAIN, entity.id)
        self._hass.bus.async_fire(
            _EVENTS[kind], {"entity_id": entity_id, "wanted": wanted, "found": found, "seconds": seconds}
        )
        placeholders = {
            "name": name,
            "wanted": _text(entity.label(wanted), entity.unit),
            "found": _text(entity.label(found), entity.unit),
            "seconds": f"{seconds:.0f}",
        }
        self._show(_issue_of(entity), kind, placeholders, ir.IssueSeverity.WARNING)
        self._remove_in(_issue_of(entity), _OLD_SECONDS)

    @callback
    def counter(self, entity: EntityDef, name: str, notice: Json) -> None:
        """Tell the owner that a counter, which never falls, goes on from a lower number."""
        before, now = (_text(notice.get(key), entity.unit) for key in ("wanted", "found"))
        issue = f"counter_{entity.id}"
        self._show(issue, "counter", {"name": name, "before": before, "now": now}, ir.IssueSeverity.WARNING)
        self._remove_in(issue, _OLD_SECONDS)

    @callback
    def clock(self, entity: EntityDef, device: DeviceDef, notice: Json) -> None:
        """Tell the owner that the clock of a device is wrong, or with no deviation that it is right again."""
        issue, seconds = f"clock_{entity.id}", notice.get("seconds", 0)
        if not seconds:
            self._remove(issue)
            return
        key = "clock_summer_time" if notice.get("reason") == "summer_time" else "clock"
        placeholders = {"name": device.name, "deviation": f"{seconds / 60:+.0f} min"}
        self._show(issue, key, placeholders, ir.IssueSeverity.WARNING)
        self._remove_in(issue, _CLOCK_SECONDS)

    @callback
    def was_set(self, entity: EntityDef) -> None:
        """Note that an entity was set again. Its warning disappears if the new value lasts."""
        if (issue := _issue_of(entity)) in self._timers:
            self._remove_in(issue, _HELD_SECONDS)

    @callback
    def forget(self, entity: EntityDef) -> None:
        """Remove the warnings of an entity that no longer exists."""
        for issue in (_issue_of(entity), f"counter_{entity.id}", f"clock_{entity.id}"):
            self._remove(issue)

    @callback
    def duplicate(self, installation: str) -> None:
        """Tell the owner that a second plugin uses the name of an installation that is connected."""
        issue = f"duplicate_installation_{installation}"
        self._show(issue, "duplicate_installation", {"installation": installation}, ir.IssueSeverity.ERROR)
        self._remove_in(issue, _DUPLICATE_SECONDS)

    @callback
    def cache(self, installation: str, reason: str) -> None:
        """Tell the owner that a plugin keeps nothing over a restart, or without a reason that it does again."""
        issue = f"cache_{installation}"
        if reason:
            placeholders = {"installation": installation, "reason": reason}
            self._show(issue, "cache", placeholders, ir.IssueSeverity.WARNING)
            self._remove_in(issue, _CACHE_SECONDS)
        else:
            self._remove(issue)

    @callback
    def version(self, key: str, too_old: bool, placeholders: dict[str, str]) -> None:
        """Tell the owner which side is too old, or remove that issue if it is not. key is its translation key."""
        issue = f"{key}_{placeholders['installation']}"
        if too_old:
            self._show(issue, key, placeholders, ir.IssueSeverity.ERROR)
        else:
            self._remove(issue)

    @callback
    def texts(self, issue: str) -> dict[str, str]:
        """Return what the texts of an issue are filled in with."""
        shown = ir.async_get(self._hass).async_get_issue(DOMAIN, issue)
        return (shown and shown.translation_placeholders) or {}

    @callback
    def clear(self) -> None:
        """Remove all issues."""
        for issue in list(self._timers):
            self._remove(issue)

    @callback
    def _show(
        self,
        issue: str,
        key: str,
        placeholders: dict[str, str],
        severity: ir.IssueSeverity,
        fix: dict[str, str | int | float | None] | None = None,
    ) -> None:
        self._timers.setdefault(issue, None)
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            issue,
            data=fix,
            is_fixable=fix is not None,
            severity=severity,
            translation_key=key,
            translation_placeholders=placeholders,
        )

    @callback
    def _remove_in(self, issue: str, seconds: float) -> None:
        if (stop := self._timers.get(issue)) is not None:
            stop()
        self._timers[issue] = async_call_later(self._hass, seconds, lambda _: self._remove(issue))

    @callback
    def _remove(self, issue: str) -> None:
        if issue not in self._timers:
            return
        if (stop := self._timers.pop(issue)) is not None:
            stop()
        ir.async_delete_issue(self._hass, DOMAIN, issue)


def _issue_of(entity: EntityDef) -> str:
    """Return the issue of an entity: a newer one replaces it. A time of day shares it with its twin of the text."""
    return f"changed_{entity.root}_{entity.key}"


def _text(value: Any, unit: str | None) -> str:
    match value:
        case None:
            return "?"
        case bool():
            return "on" if value else "off"
        case float() if value.is_integer():
            value = int(value)
    return f"{value} {unit}" if unit else str(value)
