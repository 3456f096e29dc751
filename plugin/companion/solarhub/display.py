"""The entities in Home Assistant's state machine, and how they are told to show something new."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import EntityPlatform

from .const import DOMAIN, STATES_PER_TURN
from .definitions import EntityDef


class DisplayedEntity(Protocol):
    """What this package needs of an entity, whatever its platform is."""

    entity_id: str

    @property
    def owner_name(self) -> str:
        """Return what the owner calls the entity."""

    @callback
    def async_refresh(self, context: Context | None = None) -> None:
        """Write the entity's state if it changed."""

    @callback
    def async_redefine(self, definition: EntityDef) -> None:
        """Take over a changed definition of the same platform and device."""

    async def async_remove(self, *, force_remove: bool = False) -> None:
        """Take the entity out of the state machine."""


@dataclass(frozen=True, slots=True)
class PlatformSlot:
    """Where and how the entities of one platform are made."""

    platform: EntityPlatform
    make: Callable[[EntityDef], Entity]


class Display:
    """The entities of the loaded config entry, by the ids of the contract. Each load of the entry has its own."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Make a display without entities."""
        self._hass = hass
        self.entities: dict[str, DisplayedEntity] = {}
        self.platforms: dict[Platform, PlatformSlot] = {}

    @callback
    def refresh(self, ids: Iterable[str], context: Context | None = None) -> None:
        """Have entities show their state. Many entities take several turns of the event loop."""
        entities = [entity for i in ids if (entity := self.entities.get(i)) is not None]
        if len(entities) <= STATES_PER_TURN * 2:
            for entity in entities:
                entity.async_refresh(context)
            return
        self._hass.async_create_background_task(self._async_refresh(entities), f"{DOMAIN} refresh", eager_start=True)

    async def _async_refresh(self, entities: list[DisplayedEntity]) -> None:
        for first in range(0, len(entities), STATES_PER_TURN):
            for entity in entities[first : first + STATES_PER_TURN]:
                entity.async_refresh()
            await asyncio.sleep(0)
