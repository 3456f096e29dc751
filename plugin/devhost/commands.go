package devhost

// handler answers a command with its result or an error, usually an *Error. later says that the command is answered by
// itself.
type handler func(h *Host, c command) (result any, err error)

// later is the result of a command that answers by itself.
type later struct{}

// spec is a command: what answers it, and whether it is for administrators alone.
type spec struct {
	handle handler
	admin  bool
}

// commands are all that a client may send.
var commands map[string]spec

func init() { // the handlers know the table, so it cannot be made with them
	commands = map[string]spec{
		"ping":                        {handle: (*Host).ping},
		"supported_features":          {handle: (*Host).supportedFeatures},
		"get_config":                  {handle: (*Host).getConfig},
		"get_states":                  {handle: (*Host).getStates},
		"config/entity_registry/list": {handle: (*Host).listEntities},
		"config/entity_registry/list_for_display": {handle: (*Host).listForDisplay},
		"config/device_registry/list":             {handle: (*Host).listDevices},
		"call_service":                            {handle: (*Host).callService},
		"subscribe_events":                        {handle: (*Host).subscribeEvents},
		"subscribe_entities":                      {handle: (*Host).subscribeEntities},
		"unsubscribe_events":                      {handle: (*Host).unsubscribeEvents},
		"devhost/line":                            {handle: (*Host).line},
		"devhost/line/subscribe":                  {handle: (*Host).lineSubscribe},
		"devhost/automation":                      {handle: (*Host).automationCommand, admin: true},
	}
	for name, handle := range companionCommands {
		commands[name] = spec{handle, true}
	}
}

func (h *Host) ping(c command) (any, error) {
	c.conn.send(map[string]any{"id": c.id, "type": "pong"})
	return later{}, nil
}

func (h *Host) supportedFeatures(c command) (any, error) {
	var f struct {
		Features map[string]float64 `json:"features"`
	}
	if err := c.fields(&f); err != nil {
		return nil, err
	}
	c.conn.mu.Lock()
	defer c.conn.mu.Unlock()
	_, c.conn.coalesce = f.Features["coalesce_messages"]
	return nil, nil
}

func (h *Host) getConfig(command) (any, error) {
	components := []string{"number", "scene", "select", "sensor", "switch"}
	if !h.options.WithoutCompanion {
		components = append(components, domain)
	}
	return map[string]any{"version": version, "state": "RUNNING", "safe_mode": h.options.SafeMode,
		"recovery_mode": h.options.RecoveryMode, "components": components}, nil
}
