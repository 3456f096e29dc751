"""The state of the integration that outlives a reload: definitions, installations, and the entities that show them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
import logging
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, Platform
from homeassistant.core import CALLBACK_TYPE, Context, Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import EntityPlatform
from homeassistant.helpers.storage import Store
from homeassistant.util.hass_dict import HassKey

from .const import CONF_GRACE, DOMAIN, GRACE_DEFAULT, STATES_PER_TURN, WRITE_SECONDS
from .definitions import Catalogue, Device, Entity, Json
from .errors import call_error
from .installation import Installation, Session, Value
from .notices import Notices

if TYPE_CHECKING:
    from .entity import SolarHubEntity

_LOGGER = logging.getLogger(__name__)

DATA_HUB: HassKey[Hub] = HassKey(DOMAIN)

_STORE_VERSION: Final = 1
_SAVE_SECONDS: Final = 1.0  # definitions change rarely and must survive a power cut
_CONFIG_SECONDS: Final = 0.5  # a person who enables ten entities at once causes one message


class View(NamedTuple):
    """What one entity shows."""

    available: bool
    value: Any = None
    read_at: str | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """Where the entities of a platform are added."""

    platform: EntityPlatform
    make: Callable[[Hub, Entity], SolarHubEntity]


class Hub:
    """Knows all installations. There is one, in hass.data, from the start of Home Assistant to its end."""

    def __init__(self, hass: HomeAssistant, version: str) -> None:
        """Make a hub; version is that of the companion."""
        self.hass = hass
        self.version = version
        self.entry: ConfigEntry | None = None  # while it is loaded
        self.unloaded = monotonic()
        self.catalogue = Catalogue()
        self.installations: dict[str, Installation] = {}
        self.entities: dict[str, SolarHubEntity] = {}  # by id of the contract: those that are in the state machine
        self.homes: dict[Platform, Home] = {}
        self.notices = Notices(hass)
        self.lock = asyncio.Lock()  # held while entities or devices are added or removed
        self._sessions = 0
        self._store: Store[Json] = Store(hass, _STORE_VERSION, f"{DOMAIN}.definitions")
        self._telling: CALLBACK_TYPE | None = None

    # Keeping.

    async def async_load(self) -> None:
        """Read the kept definitions and begin to listen."""
        self.catalogue = Catalogue.from_json(await self._store.async_load())
        for name in set(self.catalogue.owners.values()):
            self.installation(name)
        self.hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, self._async_stopping)
        self.hass.bus.async_listen(er.EVENT_ENTITY_REGISTRY_UPDATED, self._async_registry_updated, _disabled_changed)

    @callback
    def save(self) -> None:
        """Keep the definitions."""
        self._store.async_delay_save(self.catalogue.to_json, _SAVE_SECONDS)

    async def async_clear(self) -> None:
        """Forget everything: the owner removed the integration."""
        for installation in self.installations.values():
            installation.close()
        self.installations.clear()
        self.catalogue = Catalogue()
        await self._store.async_remove()

    # Installations and their sessions.

    @callback
    def installation(self, name: str) -> Installation:
        """Return an installation, which is made if it is new."""
        if (known := self.installations.get(name)) is None:
            known = Installation(self.hass, name, lambda: self.publish_all(name), self.grace)
            self.installations[name] = known
        return known

    @callback
    def grace(self) -> float:
        """Return for how many seconds entities stay available after an unplanned loss."""
        return self.entry.options.get(CONF_GRACE, GRACE_DEFAULT) if self.entry else GRACE_DEFAULT

    @callback
    def next_session(self) -> int:
        """Return a number that no session had before."""
        self._sessions += 1
        return self._sessions

    @callback
    def session(self, number: int) -> Session | None:
        """Return the session with a number if it is the current one of its installation."""
        for installation in self.installations.values():
            if installation.session is not None and installation.session.number == number:
                return installation.session
        return None

    # What entities show.

    @callback
    def view(self, entity: Entity) -> View:
        """Return what an entity shows now."""
        installation = self.installations.get(self.catalogue.owner_of(entity.device) or "")
        if installation is None or not installation.shown:
            return View(available=False)
        picture = installation.picture
        if not picture.available(entity.id, entity.device):
            return View(available=False)
        return View(True, *picture.values.get(entity.id, (None, None)))

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
        """Take what the plugin says of its entities, and return the ids that it does not own."""
        picture, touched, unknown = session.picture, dict.fromkeys(usable or ()), []
        for entity_id, value in values.items():
            entity = self.catalogue.entities.get(entity_id)
            if entity is None or self.catalogue.owners.get(entity.root) != session.installation:
                unknown.append(entity_id)
                continue
            picture.values[entity_id] = Value(value, (cached or {}).get(entity_id))
            touched[entity_id] = None
        picture.usable.update(usable or {})
        for device_id, state in (devices or {}).items():
            picture.online[device_id] = bool(state.get("online"))
            picture.reasons[device_id] = str(state.get("reason", ""))
        if devices:
            touched |= dict.fromkeys(
                e.id
                for e in self.catalogue.of_installation(session.installation)
                if {e.root, e.device} & devices.keys()
            )
        if session.ready:
            self.publish(touched, context)
        return unknown

    @callback
    def publish(self, ids: Iterable[str], context: Context | None = None) -> None:
        """Have entities show what is known of them; many at once with turns of the event loop between."""
        entities = [entity for i in ids if (entity := self.entities.get(i)) is not None]
        if len(entities) <= STATES_PER_TURN * 2:
            for entity in entities:
                entity.async_refresh(context)
            return
        self.hass.async_create_background_task(self._async_publish(entities), f"{DOMAIN} publish", eager_start=True)

    @callback
    def publish_all(self, installation: str) -> None:
        """Have all entities of an installation show what is known of them."""
        self.publish(entity.id for entity in self.catalogue.of_installation(installation))

    async def _async_publish(self, entities: list[SolarHubEntity]) -> None:
        for first in range(0, len(entities), STATES_PER_TURN):
            for entity in entities[first : first + STATES_PER_TURN]:
                entity.async_refresh()
            await asyncio.sleep(0)

    # Calls.

    async def async_call(
        self,
        target: Entity | Device,
        action: str,
        name: str,
        *,
        context: Context | None,
        seconds: float = WRITE_SECONDS,
        **fields: Any,
    ) -> Json:
        """Have the plugin that serves an entity or device do something; see Installation.async_call."""
        owner = self.catalogue.owner_of(target.device if isinstance(target, Entity) else target.id)
        if owner is None:
            raise call_error("not_connected", name)
        where = {"id": target.id} if isinstance(target, Entity) else {"device": target.root}
        return await self.installation(owner).async_call(action, where | fields, name, seconds, context)

    @callback
    def refused_by_host(self, entity_id: str, value: Any) -> bool:
        """Report whether Home Assistant refuses to have a number or text set to a value, without asking the entity."""
        entry = er.async_get(self.hass).async_get(entity_id)
        entity = self.entities.get(entry.unique_id) if entry and entry.platform == DOMAIN else None
        return entity is not None and entity.refused_by_host(value)

    # What the plugin is told.

    @callback
    def disabled(self, installation: str) -> list[str]:
        """Return the ids of an installation's entities that nobody looks at."""
        if self.entry is None:
            return []
        entries = er.async_entries_for_config_entry(er.async_get(self.hass), self.entry.entry_id)
        off = {entry.unique_id: entry.disabled for entry in entries}
        return [e.id for e in self.catalogue.of_installation(installation) if off.get(e.id, not e.enabled)]

    @callback
    def tell_disabled(self, session: Session) -> None:
        """Tell a plugin which entities nobody looks at, if that changed."""
        if (now := self.disabled(session.installation)) != session.disabled:
            session.disabled = now
            session.send("config", disabled=now)

    @callback
    def _async_registry_updated(self, _: Event[er.EventEntityRegistryUpdatedData]) -> None:
        @callback
        def tell() -> None:
            self._telling = None
            for installation in self.installations.values():
                if self.entry is not None and installation.session is not None:
                    self.tell_disabled(installation.session)

        if self._telling is None:
            self._telling = self.hass.loop.call_later(_CONFIG_SECONDS, tell).cancel

    @callback
    def _async_stopping(self, _: Event) -> None:
        for installation in self.installations.values():
            if installation.session is not None:
                installation.session.send("stopping")


@callback
def _disabled_changed(data: er.EventEntityRegistryUpdatedData) -> bool:
    return data["action"] == "update" and "disabled_by" in data["changes"]
