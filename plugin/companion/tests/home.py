"""The integration, set up, and a plugin with the devices of a house."""

from plugin import Client, Json, Plugin, house

GRACE = 3  # seconds, set through the options flow, so that tests need not wait for the usual thirty


async def set_up(client: Client) -> str:
    """Make the config entry if it is not there, shorten the grace, and return the entry's id."""
    entries = await client.rest("GET", "/config/config_entries/entry?domain=solarhub")
    if not entries:
        form = await client.rest("POST", "/config/config_entries/flow", {"handler": "solarhub"})
        made = await client.rest("POST", f"/config/config_entries/flow/{form['flow_id']}", {})
        assert made["result"]["state"] == "loaded"
        entries = await client.rest("GET", "/config/config_entries/entry?domain=solarhub")
    entry_id = entries[0]["entry_id"]
    form = await client.rest("POST", "/config/config_entries/options/flow", {"handler": entry_id})
    await client.rest("POST", f"/config/config_entries/options/flow/{form['flow_id']}", {"grace": GRACE})
    return entry_id


class Home:
    """A plugin that is connected and ready, with the entities of plugin.house."""

    def __init__(self, core: Client, plugin: Plugin, serial: str) -> None:
        self.core, self.plugin, self.serial = core, plugin, serial
        self.devices, self.entities, self.values = house(serial)
        self.names: dict[str, str] = {}

    async def open(self) -> Json:
        """Do what section 2 of the contract says, and learn the entity_ids."""
        hello = await self.plugin.hello([self.serial])
        await self.plugin.register(self.devices, self.entities)
        await self.plugin.states(self.values, d={self.serial: {"online": True}})
        await self.learn()
        return hello

    async def learn(self) -> None:
        """Learn which entity_id belongs to which id."""
        rows = await self.core.ask("config/entity_registry/list")
        self.names = {row["unique_id"]: row["entity_id"] for row in rows if row["platform"] == "solarhub"}

    def id(self, key: str) -> str:
        """Return the id of the contract."""
        return f"{self.serial}_{key}"

    def __getitem__(self, key: str) -> str:
        """Return the entity_id."""
        return self.names[self.id(key)]

    async def state(self, key: str) -> str | None:
        """Return the state; None if there is none."""
        state = await self.core.state(self[key])
        return state and state["state"]

    async def until(self, key: str, wanted: str, seconds: float = 10) -> None:
        """Wait for a state."""
        await self.core.until(self[key], lambda s: bool(s) and s["state"] == wanted, seconds)
