"""What the owner can have mended from a repairs issue: a device that was replaced is taken over."""

from homeassistant.components.repairs import RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .hub import DATA_HUB


class Replacement(RepairsFlow):
    """Have the device that answers now take the place of the one that answered before."""

    def __init__(self, device_id: str, found: str) -> None:
        """Make the flow for the device that was replaced. found is the serial number of the new one."""
        self._device_id = device_id
        self._found = found

    async def async_step_init(self, _: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin with the question."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Ask, and then have the plugin do it."""
        hub = self.hass.data[DATA_HUB]
        device = hub.catalogue.devices.get(self._device_id)
        if device is None:
            return self.async_abort(reason="gone")
        if user_input is None:
            return self.async_show_form(step_id="confirm", description_placeholders=hub.notices.texts(self.issue_id))
        try:
            await hub.async_call(device, "replace", device.name, context=None, found=self._found)
        except HomeAssistantError as err:
            return self.async_abort(reason="failed", description_placeholders={"reason": str(err)})
        return self.async_create_entry(data={})


async def async_create_fix_flow(
    _: HomeAssistant, __: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of an issue. Only a replaced device has one."""
    of = data or {}
    return Replacement(str(of.get("device")), str(of.get("found")))
