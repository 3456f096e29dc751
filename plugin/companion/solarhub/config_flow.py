"""Setting up takes one confirmation: the plugin brings everything else."""

from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigFlow, ConfigFlowResult, OptionsFlow
from homeassistant.core import callback
from homeassistant.helpers import selector
import voluptuous as vol

from .const import CONF_GRACE, DOMAIN, GRACE_DEFAULT, GRACE_MAX


class SolarHubConfigFlow(ConfigFlow, domain=DOMAIN):
    """Set the integration up."""

    VERSION = 1

    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask once, then make the entry."""
        if user_input is None:
            return self.async_show_form(step_id="user", data_schema=vol.Schema({}))
        return self.async_create_entry(title="SolarHub", data={})

    @staticmethod
    @callback
    def async_get_options_flow(config_entry: ConfigEntry) -> SolarHubOptionsFlow:  # noqa: ARG004 # the host's signature
        """Return the flow behind "Configure"."""
        return SolarHubOptionsFlow()


class SolarHubOptionsFlow(OptionsFlow):
    """Change what the companion does by itself. It takes effect at the next loss of the plugin."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the time of grace."""
        if user_input is not None:
            return self.async_create_entry(data={CONF_GRACE: int(user_input[CONF_GRACE])})
        seconds = selector.NumberSelector(
            selector.NumberSelectorConfig(
                min=0, max=GRACE_MAX, step=1, unit_of_measurement="s", mode=selector.NumberSelectorMode.BOX
            )
        )
        now = self.config_entry.options.get(CONF_GRACE, GRACE_DEFAULT)
        schema = vol.Schema({vol.Required(CONF_GRACE, default=now): seconds})
        return self.async_show_form(step_id="init", data_schema=schema)
