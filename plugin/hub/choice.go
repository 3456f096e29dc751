package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"solarhub/devices"
	"solarhub/plugin/host"
)

// What only the owner can tell of a device is asked for by a select entity: one for each choice of its profile that the
// configuration has not settled.

// entityChoice is the choice that an entity shows.
type entityChoice struct {
	device *devices.Device
	trait  string
	words  []string
}

// choiceID is the id of the entity of a choice.
func choiceID(device, trait string) string { return device + "_" + choiceKey(trait) }

// choiceKey is its key, in the place of that of a point.
func choiceKey(trait string) string { return "choice_" + trait }

// addChoices describes what can be chosen of the device that the host has under an id.
func (c *catalog) addChoices(d *devices.Device, id string) {
	for _, one := range d.Choices() {
		t := one.Trait
		e := host.Entity{ID: choiceID(id, t.Name), Device: id, Platform: "select", Key: choiceKey(t.Name),
			Name: choiceName(t.Name), Category: "config", Enabled: true, Icon: "mdi:account-question-outline"}
		for _, w := range t.Choices {
			e.Options, e.Labels = append(e.Options, w.Word), append(e.Labels, w.Label)
		}
		c.choices[e.ID] = entityChoice{d, t.Name, e.Options}
		c.definitions.Entities = append(c.definitions.Entities, e)
	}
}

// choiceName is a trait as people read it: "Energy unit".
func choiceName(trait string) string {
	name := strings.ReplaceAll(trait, "_", " ")
	return strings.ToUpper(name[:1]) + name[1:]
}

// showChoices tells the host what is chosen of the device that it has under an id.
func (s *state) showChoices(u *member, id string) {
	values := map[string]any{}
	for _, c := range u.device.Choices() {
		values[choiceID(id, c.Trait.Name)] = orUnknown(c.Word)
	}
	s.hub.outbox.Put(host.States{Values: values})
}

func orUnknown(word string) any {
	if word == "" {
		return nil
	}
	return word
}

// choose settles a choice. The device is identified anew with it.
func (h *Hub) choose(ctx context.Context, call host.Call, c entityChoice) host.Result {
	switch word, ok := call.Value.(string); {
	case call.Action == host.ActionRead:
		return h.readChoice(ctx, call.ID, c)
	case call.Action != host.ActionSet:
		return failed(host.NewCallError(host.CodeFailed, fmt.Sprintf("%s is chosen: it has no action %q",
			choiceName(c.trait), call.Action), nil))
	case !ok || !slices.Contains(c.words, word):
		options := strings.Join(c.words, ", ")
		return failed(host.NewCallError(host.CodeUnknownOption,
			fmt.Sprintf("%s: %v is none of %s", choiceName(c.trait), call.Value, options),
			map[string]string{"value": fmt.Sprint(call.Value), "options": options}))
	default:
		if err := c.device.Choose(c.trait, word); err != nil {
			return failed(host.NewCallError(host.CodeFailed, err.Error(), nil))
		}
		h.log.Info().Str("device", c.device.Name()).Str("trait", c.trait).Str("word", word).
			Msg("The owner has chosen: the device is identified anew")
		return h.readChoice(ctx, call.ID, c)
	}
}

// readChoice answers with what is chosen.
func (h *Hub) readChoice(ctx context.Context, id string, c entityChoice) host.Result {
	var word any
	for _, one := range c.device.Choices() {
		if one.Trait.Name == c.trait {
			word = orUnknown(one.Word)
		}
	}
	h.do(context.WithoutCancel(ctx), func(s *state) {
		s.hub.outbox.Put(host.States{Values: map[string]any{id: word}})
	})
	return host.Result{Value: word, Confirmed: []string{id},
		Response: host.Reading{Value: word, ReadAt: time.Now(), Raw: []uint16{}}}
}
