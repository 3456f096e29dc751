"""What the entities of all platforms have in common."""

from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
import logging
from typing import Any

from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback, async_get_current_platform

from .const import DOMAIN
from .definitions import EntityDef, EntityState
from .display import PlatformSlot
from .hub import DATA_HUB, Hub, SolarHubConfigEntry
from .words import shown_options, translation_key

_LOGGER = logging.getLogger(__name__)

type SetUp = Callable[[HomeAssistant, SolarHubConfigEntry, AddConfigEntryEntitiesCallback], Any]


def platform_setup(make: Callable[[Hub, EntityDef], SolarHubEntity]) -> SetUp:
    """Return the async_setup_entry of a platform. It adds no entity: registries.py does, over all platforms at once."""

    async def async_setup_entry(
        hass: HomeAssistant, entry: SolarHubConfigEntry, _: AddConfigEntryEntitiesCallback
    ) -> None:
        platform, hub = async_get_current_platform(), hass.data[DATA_HUB]
        entry.runtime_data.platforms[Platform(platform.domain)] = PlatformSlot(platform, lambda item: make(hub, item))

    return async_setup_entry


class SolarHubEntity(Entity):
    """An entity as the plugin defines it: a register, or something that the plugin derives from registers."""

    _attr_has_entity_name = True
    _attr_should_poll = False
    _unrecorded_attributes = frozenset({"read_at"})

    def __init__(self, hub: Hub, definition: EntityDef) -> None:
        """Make the entity of a definition."""
        self._hub = hub
        self._shown: EntityState | None = None
        self._invalid_logged = False
        self._attr_unique_id = definition.id
        self._attr_entity_registry_enabled_default = definition.enabled
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, definition.device)})
        self._attr_extra_state_attributes = {}
        self._define(definition)

    def _define(self, definition: EntityDef) -> None:
        """Take over everything of a definition that may change while the entity exists. Platforms add their own."""
        self.definition = definition
        self._shown_options = shown_options(definition, self._hub.words)
        self._attr_translation_key = translation_key(definition)
        self._attr_name = definition.name
        self._attr_icon = definition.icon
        self._attr_entity_category = definition.category

    @callback
    def async_redefine(self, definition: EntityDef) -> None:
        """Take over a changed definition of the same platform and device, and show it."""
        self._define(definition)
        er.async_get(self.hass).async_update_entity(
            self.entity_id,
            entity_category=definition.category,
            original_icon=definition.icon,
            original_name=definition.name,
            translation_key=translation_key(definition),
        )
        self._shown = None
        self.async_refresh()

    @abstractmethod
    def _show(self, value: Any) -> None:
        """Take over a value of the contract; None is unknown. Raises ValueError if this platform cannot show it."""

    def _option(self, value: Any) -> str:
        """Return what is shown for an option. Raises ValueError if there is no such option."""
        if not isinstance(value, str) or value not in self._shown_options:
            raise ValueError(f"{value!r} is not one of {', '.join(self.definition.options)}")
        return self._shown_options[value]

    async def async_added_to_hass(self) -> None:
        """Take over the newest state. Home Assistant writes it next."""
        self._hub.display.entities[self.definition.id] = self
        self._update()

    async def async_will_remove_from_hass(self) -> None:
        """Leave the display."""
        self._hub.display.entities.pop(self.definition.id, None)

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Do nothing when a person renames the entity, because nothing here depends on its entity_id."""

    @callback
    def async_refresh(self, context: Context | None = None) -> None:
        """Write the state if it changed. context is that of the person or automation who caused the change."""
        if not self._update():
            return
        if context is not None:
            self.async_set_context(context)
        try:
            self.async_write_ha_state()
        except Exception:
            if not self._invalid_logged:
                value = self._shown and self._shown.value
                _LOGGER.exception("%s: Home Assistant refuses the value %r", self.entity_id, value)
            self._invalid_logged = True
            self._show(None)
            with suppress(Exception):  # one entity must not break the frame for all others
                self.async_write_ha_state()

    @callback
    def _update(self) -> bool:
        """Take over the state that the hub has for this entity, and report whether it is new."""
        state = self._hub.state_of(self.definition)
        if state == self._shown:
            return False
        self._shown = state
        self._attr_available = state.available
        self._attr_extra_state_attributes = {} if state.read_at is None else {"read_at": state.read_at}
        try:
            self._show(state.value)
            self._invalid_logged = False
        except ValueError as err:
            if not self._invalid_logged:
                _LOGGER.warning("%s is shown as unknown: %s", self.entity_id, err)
            self._invalid_logged = True
            self._show(None)
        return True

    @property
    def owner_name(self) -> str:
        """Return what the owner calls the entity."""
        state = self.hass.states.get(self.entity_id)
        return state.name if state else self.definition.name

    async def _async_set(self, value: Any) -> None:
        """Have a value written to the device. Returns when the device has confirmed it."""
        await self._hub.async_call(
            self.definition, "set", self.owner_name, context=self._context, value=value, force=False
        )
