"""What an owner reads for the options of an entity.

The plugin names an option by a slug, which never changes, and has a label for it in English. Home Assistant translates
a slug if the integration brings the words, which it does for the quantities of the profiles that come with SolarHub. It
shows any other slug as it is. So the options of a profile that somebody wrote are their labels.
"""

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN
from .definitions import EntityDef

type Words = frozenset[str]


async def async_words(hass: HomeAssistant) -> Words:
    """Return the keys of all words that Home Assistant has for entities of this integration."""
    return frozenset(await async_get_translations(hass, "en", "entity", [DOMAIN]))


def translation_key(entity: EntityDef) -> str:
    """Return the key under which the words of an entity stand: window_n_mode for the quantity window_{n}_mode."""
    return (entity.quantity or entity.key).replace("{n}", "n")


def shown_options(entity: EntityDef, words: Words) -> dict[str, str]:
    """Return what is shown for each option: all slugs, if all can be translated, otherwise all labels.

    A slug that is its own label, such as "10 (unknown)" of a number that nobody knows, needs no translation.
    """
    prefix = f"component.{DOMAIN}.entity.{entity.platform}.{translation_key(entity)}.state."
    labels = dict(zip(entity.options, entity.labels or entity.options, strict=True))
    if all(slug == label or prefix + slug in words for slug, label in labels.items()):
        return {slug: slug for slug in labels}
    return labels
