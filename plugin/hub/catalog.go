package hub

import (
	"cmp"
	"slices"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/host"
)

// catalog is what the host is told that there is, and the way back from its ids. It is not changed once it is
// published.
type catalog struct {
	definitions host.Definitions
	targets     map[string]entityPoint                  // by entity id
	figures     map[string]entityFigure                 // by entity id: those that are no point of a device
	choices     map[string]entityChoice                 // by entity id: what the owner chooses
	ids         map[*devices.Device]map[string][]string // ids of the entities of each point
	devices     map[string]*devices.Device              // by device id, without parts
}

// entityFigure is the figure that an entity of the part "line" shows.
type entityFigure struct {
	device *devices.Device
	figure figure
}

// entityPoint is the point that an entity shows.
type entityPoint struct {
	device *devices.Device
	point  profile.Point
}

func newCatalog() *catalog {
	return &catalog{targets: map[string]entityPoint{}, choices: map[string]entityChoice{},
		figures: map[string]entityFigure{},
		ids:     map[*devices.Device]map[string][]string{}, devices: map[string]*devices.Device{}}
}

// add describes a device with its parts and entities. It returns the ids of the entities of each point, and those of
// the device and of the parts that have any. What the owner has deleted is left out.
func (c *catalog) add(d *devices.Device, deleted func(id string) bool) (ids map[string][]string, families []string) {
	points := map[string]profile.Point{}
	for _, p := range d.Points() {
		points[p.Key] = p
	}
	all := slices.DeleteFunc(d.Entities(), func(e devices.Entity) bool { return deleted(partID(d.ID(), e.Part)) })
	described := describe(d.Profile(), d.Name(), d.Identity(), all)
	described.Devices = slices.DeleteFunc(described.Devices, func(d host.Device) bool { return deleted(d.ID) })
	described.Entities = slices.DeleteFunc(described.Entities, func(e host.Entity) bool { return deleted(e.Device) })
	c.definitions.Devices = append(c.definitions.Devices, described.Devices...)
	c.definitions.Entities = append(c.definitions.Entities, described.Entities...)
	for _, dev := range described.Devices {
		families = append(families, dev.ID)
	}
	ids = map[string][]string{}
	for _, e := range all {
		if e.Platform != "button" || points[e.Key].Button() { // the button of a clock does not show the clock
			ids[e.Key] = append(ids[e.Key], e.ID)
		}
		c.targets[e.ID] = entityPoint{device: d, point: points[e.Key]}
	}
	if !deleted(d.ID()) {
		c.addChoices(d, d.ID())
	}
	for key, p := range points { // what is no entity is reached by its key
		if id := d.ID() + "_" + key; c.targets[id].device == nil && !deleted(partID(d.ID(), p.Part)) {
			c.targets[id] = entityPoint{device: d, point: p}
		}
	}
	for _, f := range allFigures {
		if deleted(partID(d.ID(), linePart)) {
			break
		}
		c.figures[figureID(d.ID(), f)] = entityFigure{d, f}
	}
	c.ids[d], c.devices[d.ID()] = ids, d
	return ids, families
}

// describe turns what is known of a device into the host's words. Parts without entities are left out.
func describe(family *profile.Profile, name string, who devices.Identity, entities []devices.Entity) host.Definitions {
	all := host.Definitions{Devices: []host.Device{{
		ID: who.ID(), Name: name, Manufacturer: family.Manufacturer, Model: cmp.Or(who.Model, family.Name),
		SerialNumber: who.Serial,
		SWVersion:    who.Version,
	}}}
	used := map[string]bool{}
	for _, e := range entities {
		used[e.Part] = true
		all.Entities = append(all.Entities, entity(e, partID(who.ID(), e.Part)))
	}
	for _, part := range family.Parts {
		if used[part.Key] {
			all.Devices = append(all.Devices, host.Device{
				ID: partID(who.ID(), part.Key), Via: who.ID(), Name: name + " " + part.Name,
				Manufacturer: family.Manufacturer,
				Model:        part.Name,
			})
		}
	}
	line, figures := lineDefinitions(family, name, who.ID())
	all.Devices, all.Entities = append(all.Devices, line), append(all.Entities, figures...)
	return all
}

// partID returns the id of a part of a device, or of the device itself.
func partID(device, part string) string {
	if part == "" {
		return device
	}
	return device + "/" + part
}

// entity leaves out the fields that the platform does not use, so that they do not change the hash.
func entity(e devices.Entity, device string) host.Entity {
	h := host.Entity{
		ID: e.ID, Device: device, Platform: e.Platform, Key: e.Key, Quantity: e.Quantity, Name: e.Name,
		Category: e.Category,
		Enabled:  e.Enabled, Icon: e.Icon,
		DeviceClass: e.DeviceClass, Unit: e.Unit, StateClass: e.StateClass, Options: e.Options, Labels: e.Labels,
	}
	switch e.Platform {
	case "sensor":
		if e.Precision >= 0 {
			h.Precision = &e.Precision
		}
	case "number":
		h.Min, h.Max, h.Step, h.Mode = &e.Min, &e.Max, &e.Step, e.Mode
	case "text":
		h.Pattern, h.MinLength, h.MaxLength = e.Pattern, &e.MinLength, &e.MaxLength
	}
	return h
}
