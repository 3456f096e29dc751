"""What all entities have in common."""

from abc import abstractmethod
from collections.abc import Callable
import logging
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback, async_get_current_platform

from .browser import async_take_back
from .const import DOMAIN
from .definitions import Entity as Definition
from .hub import DATA_HUB, Home, Hub, View

_LOGGER = logging.getLogger(__name__)

type SetUp = Callable[[HomeAssistant, ConfigEntry, AddConfigEntryEntitiesCallback], Any]


def platform_setup(make: Callable[[Hub, Definition], SolarHubEntity]) -> SetUp:
    """Return a platform's async_setup_entry. Entities come later, in slices over all platforms: see registries.py."""

    async def async_setup_entry(hass: HomeAssistant, _: ConfigEntry, __: AddConfigEntryEntitiesCallback) -> None:
        platform = async_get_current_platform()
        hass.data[DATA_HUB].homes[Platform(platform.domain)] = Home(platform, make)

    return async_setup_entry


class SolarHubEntity(Entity):
    """One register, or another quantity of a device, as the plugin describes it."""

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(self, hub: Hub, definition: Definition) -> None:
        """Make the entity that shows a definition."""
        self.definition = definition
        self._hub = hub
        self._view: View | None = None
        self._odd = False  # the value is one that cannot be shown, and that was logged
        self._attr_unique_id = definition.id
        self._attr_name = definition.name
        self._attr_icon = definition.icon
        self._attr_entity_category = definition.category
        self._attr_entity_registry_enabled_default = definition.enabled
        self._attr_device_info = DeviceInfo(identifiers={(DOMAIN, definition.device)})
        self._attr_extra_state_attributes = {}

    @abstractmethod
    def _show(self, value: Any) -> None:
        """Take a value of the contract, None for unknown. Raises ValueError if this platform cannot show it."""

    def refused_by_host(self, typed: Any) -> bool:  # noqa: ARG002 # for those who can tell
        """Report whether Home Assistant refuses a value before it gets here."""
        return False

    async def async_added_to_hass(self) -> None:
        """Show what is known; Home Assistant writes the state next."""
        self._hub.entities[self.definition.id] = self
        self._look()

    async def async_will_remove_from_hass(self) -> None:
        """Be reached by no more states."""
        self._hub.entities.pop(self.definition.id, None)

    @callback
    def async_entity_id_changed(self, old_entity_id: str) -> None:
        """Need nothing to be done when a person renames the entity: nothing here goes by its entity_id."""

    @callback
    def async_refresh(self, context: Context | None = None) -> None:
        """Write the state if it changed, as an act of the one who asked for it. Raises nothing."""
        if not self._look():
            return
        if context is not None:
            self.async_set_context(context)
        try:
            self.async_write_ha_state()
        except Exception:
            if not self._odd:
                _LOGGER.exception(
                    "%s: Home Assistant refuses the value %r", self.entity_id, self._view and self._view.value
                )
            self._odd = True
            self._show(None)
            self.async_write_ha_state()

    @callback
    def _look(self) -> bool:
        """Take over what the hub knows, and report whether that is new."""
        view = self._hub.view(self.definition)
        if view == self._view:
            return False
        self._view = view
        self._attr_available = view.available
        self._attr_extra_state_attributes = {} if view.read_at is None else {"read_at": view.read_at}
        try:
            self._show(view.value)
            self._odd = False
        except ValueError as err:
            if not self._odd:
                _LOGGER.warning("%s is shown as unknown: %s", self.entity_id, err)
            self._odd = True
            self._show(None)
        return True

    @property
    def person_name(self) -> str:
        """Return what the owner calls this."""
        state = self.hass.states.get(self.entity_id)
        return state.name if state else self.definition.name

    async def _async_set(self, value: Any, typed: str | None = None) -> None:
        """Have a value written to the device; return when it has been read back.

        typed is the state that the control in the browser pretends, None for one that looks after itself. Unless the
        state follows, the control is put back.
        """
        before = self.hass.states.get(self.entity_id)
        try:
            await self._hub.async_call(
                self.definition, "set", self.person_name, context=self._context, value=value, force=False
            )
        finally:
            after = self.hass.states.get(self.entity_id)
            if typed is not None and before and after and before.state == after.state:
                async_take_back(self.hass, self.entity_id, typed, self._context)
