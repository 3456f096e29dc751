"""The hub: what outlives a reload of the config entry, and what ties definitions, sessions and entities together."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CALLBACK_TYPE, Context, Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from .catalogue import Catalogue
from .const import CONF_GRACE, DOMAIN, GRACE_DEFAULT
from .definitions import TEXT_MAX, DeviceDef, EntityDef, EntityState, Json, root_of
from .display import Display
from .errors import call_error
from .installation import Installation
from .notices import Notices
from .session import Reading, Session
from .words import Words, async_words

type SolarHubConfigEntry = ConfigEntry[Display]

DATA_HUB: HassKey[Hub] = HassKey(DOMAIN)

_STORE_VERSION: Final = 1
_SAVE_SECONDS: Final = 1.0  # definitions change rarely and must survive a power cut
_CONFIG_SECONDS: Final = 0.5  # a person who enables ten entities at once causes one message


class Hub:
    """All installations. There is one hub, in hass.data, from the start of Home Assistant to its end."""

    def __init__(self, hass: HomeAssistant, version: str) -> None:
        """Make a hub. version is the companion's own."""
        self.hass = hass
        self.version = version
        self.entry: SolarHubConfigEntry | None = None  # only while it is loaded
        self.unloaded = monotonic()
        self.catalogue = Catalogue()
        self.installations: dict[str, Installation] = {}
        self.display = Display(hass)  # of the config entry that was loaded last
        self.notices = Notices(hass)
        self.words: Words = frozenset()
        self.lock = asyncio.Lock()  # held while entities or devices are added or removed
        self._sessions = 0
        self._store: Store[Json] = Store(hass, _STORE_VERSION, f"{DOMAIN}.definitions")
        self._cancel_config: CALLBACK_TYPE | None = None

    # The stored definitions

    async def async_load(self) -> None:
        """Read the words and the stored definitions, and start to listen."""
        self.words = await async_words(self.hass)
        if (stored := await self._store.async_load()) is not None:
            self.catalogue.load(stored)
        for name in set(self.catalogue.owners.values()):
            self.installation(name)
        self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_stopping)
        self.hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_registry_updated, _disabled_changed)

    @callback
    def save(self) -> None:
        """Store the definitions soon."""
        self._store.async_delay_save(self.catalogue.to_json, _SAVE_SECONDS)

    async def async_clear(self) -> None:
        """Forget everything, because the owner removed the integration."""
        for installation in self.installations.values():
            installation.close()
        self.installations.clear()
        self.catalogue.clear()
        self.notices.clear()
        await self._store.async_remove()

    # Installations and their sessions

    @callback
    def installation(self, name: str) -> Installation:
        """Return the installation with a name. A new one is made if there is none."""
        if (known := self.installations.get(name)) is None:
            known = Installation(self.hass, name, lambda: self.refresh_all(name), self.grace)
            self.installations[name] = known
        return known

    @callback
    def drop_idle(self) -> None:
        """Drop installations that are gone and serve no device any more, such as one that was renamed."""
        owners = set(self.catalogue.owners.values()) | set(self.catalogue.deleted.values())
        for name, installation in list(self.installations.items()):
            if installation.session is None and not installation.visible and name not in owners:
                del self.installations[name]

    @callback
    def grace(self) -> float:
        """Return how many seconds entities stay available after an unplanned loss."""
        return self.entry.options.get(CONF_GRACE, GRACE_DEFAULT) if self.entry else GRACE_DEFAULT

    @callback
    def next_session(self) -> int:
        """Return a session number that was never used before."""
        self._sessions += 1
        return self._sessions

    @callback
    def session(self, number: int) -> Session | None:
        """Return the session with a number, if it is the current one of its installation."""
        for installation in self.installations.values():
            if installation.session is not None and installation.session.number == number:
                return installation.session
        return None

    # What entities show

    @callback
    def state_of(self, entity: EntityDef) -> EntityState:
        """Return what an entity shows now."""
        installation = self.installations.get(self.catalogue.owner_of(entity.device) or "")
        return EntityState(available=False) if installation is None else installation.state_of(entity)

    @callback
    def refresh_all(self, installation: str) -> None:
        """Have all entities of an installation show their state."""
        self.display.refresh(entity.id for entity in self.catalogue.of_installation(installation))

    @callback
    def apply(
        self,
        session: Session,
        values: Mapping[str, Any],
        *,
        cached: Mapping[str, str] | None = None,
        usable: Mapping[str, bool] | None = None,
        devices: Mapping[str, Json] | None = None,
        context: Context | None = None,
    ) -> list[str]:
        """Take values and availability from the plugin. Return the ids that it does not serve."""
        snapshot, cached, unknown = session.snapshot, cached or {}, dict[str, None]()
        changed = dict[str, None]()
        for entity_id in (*values, *(usable or ())):
            (changed if self.serves(session, entity_id) else unknown)[entity_id] = None
        for device_id, state in (devices or {}).items():
            known = device_id in self.catalogue.devices or device_id in snapshot.served
            if not known or root_of(device_id) not in snapshot.served:
                unknown[device_id] = None
                continue
            snapshot.online[device_id] = bool(state.get("online"))
            snapshot.reasons[device_id] = str(state.get("reason", ""))[:TEXT_MAX]
            if (device := self.catalogue.devices.get(device_id)) is not None and device.via is None:
                self.notices.problems(device, state.get("problems"))
            changed |= dict.fromkeys(
                entity.id for entity in self.catalogue.of_device(device_id) if device_id in (entity.root, entity.device)
            )
        snapshot.readings |= {i: Reading(v, cached.get(i)) for i, v in values.items() if i not in unknown}
        snapshot.usable |= {i: yes for i, yes in (usable or {}).items() if i not in unknown}
        if session.ready:
            self.display.refresh(changed, context)
        return sorted(unknown)

    @callback
    def serves(self, session: Session, entity_id: str) -> bool:
        """Report whether an entity is one of those that a session's installation serves."""
        entity = self.catalogue.entities.get(entity_id)
        return entity is not None and self.catalogue.owners.get(entity.root) == session.installation

    # Calls

    async def async_call(
        self, target: EntityDef | DeviceDef, action: str, name: str, *, context: Context | None, **fields: Any
    ) -> Json:
        """Have the plugin that serves an entity or device carry out an action. See Installation.async_call."""
        owner = self.catalogue.owner_of(target.device if isinstance(target, EntityDef) else target.id)
        if owner is None:
            raise call_error("not_connected", name)
        return await self.installation(owner).async_call(target, action, name, context=context, **fields)

    # Which entities are disabled

    @callback
    def disabled(self, installation: str) -> list[str]:
        """Return the ids of an installation's entities that are disabled in the registry, or will be at first."""
        if self.entry is None:
            return []
        entries = er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id)
        off = {entry.unique_id: entry.disabled for entry in entries}
        return [e.id for e in self.catalogue.of_installation(installation) if off.get(e.id, not e.enabled)]

    @callback
    def send_disabled(self, session: Session) -> None:
        """Send a plugin the list of disabled entities, if it changed since it was sent last."""
        if (now := self.disabled(session.installation)) != session.disabled:
            session.disabled = now
            session.send("config", disabled=now)

    @callback
    def _async_registry_updated(self, _: Event[er.EventEntityRegistryUpdatedData]) -> None:
        @callback
        def send() -> None:
            self._cancel_config = None
            for installation in self.installations.values():
                if self.entry is not None and installation.session is not None:
                    self.send_disabled(installation.session)

        if self._cancel_config is None:
            self._cancel_config = self.hass.loop.call_later(_CONFIG_SECONDS, send).cancel

    @callback
    def _async_stopping(self, _: Event) -> None:
        for installation in self.installations.values():
            if installation.session is not None:
                installation.session.send("stopping")


@callback
def _disabled_changed(data: er.EventEntityRegistryUpdatedData) -> bool:
    return data["action"] == "update" and "disabled_by" in data["changes"]
