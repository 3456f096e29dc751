package plugin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"solarhub/plugin/host"
)

// step carries out one step of a case when its time comes.
func (c *fieldCase) step(ctx context.Context, s step) {
	time.Sleep(s.at)
	began := time.Now()
	err := c.do(ctx, s)
	took := time.Since(began)
	if s.within > 0 && took > s.within {
		c.fail("the step at %v took %v", s.at, took)
	}
	if err == nil && len(s.fails) > 0 {
		c.fail("the step at %v did not fail with %q", s.at, s.fails)
	}
	if err != nil && len(s.fails) == 0 {
		c.fail("the step at %v failed: %v", s.at, err)
	}
	for _, part := range s.fails {
		if err != nil && !strings.Contains(err.Error(), part) {
			c.fail("the step at %v failed without %q: %v", s.at, part, err)
		}
	}
}

func (c *fieldCase) do(ctx context.Context, s step) error {
	switch {
	case s.restart:
		c.plugin.Load().stop()
		c.start()
		return nil
	case s.replaced != "":
		if result := c.plugin.Load().hub.Call(ctx, host.Call{Action: host.ActionReplace, Found: s.replaced,
			Device: strings.TrimSuffix(c.id("x"), "_x")}); result.Err != nil {
			return result.Err
		}
		return nil
	case len(s.scene) > 0:
		return c.applyScene(ctx, s)
	case len(s.snapshot) > 0:
		return c.act(ctx, "scene.create",
			map[string]any{"scene_id": "kept", "snapshot_entities": c.entities(s.snapshot)})
	case s.restore:
		return c.act(ctx, "scene.turn_on", nil, "scene.kept")
	case s.action != "":
		return c.act(ctx, s.action, s.data, c.entities(s.target)...)
	}
	if s.group != "" {
		return c.writeGroup(ctx, s)
	}
	return c.together(s.set, func(id string, value any) error { return c.host.SetValue(ctx, id, value) })
}

// writeGroup sets members of a group in one call.
func (c *fieldCase) writeGroup(ctx context.Context, s step) error {
	result := c.plugin.Load().hub.Call(ctx, host.Call{Action: host.ActionGroup, Group: s.group, Values: s.set,
		Device: strings.TrimSuffix(c.id("x"), "_x")})
	if result.Err != nil {
		return result.Err
	}
	return nil
}

// together sets values at the same time, each by itself, and returns the first error.
func (c *fieldCase) together(all map[string]any, set func(id string, value any) error) error {
	var setting sync.WaitGroup
	failed := make([]error, len(all))
	for i, key := range slices.Sorted(maps.Keys(all)) {
		setting.Go(func() { failed[i] = set(c.id(key), all[key]) })
	}
	setting.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// applyScene has a scene bring all entities to their states at once.
func (c *fieldCase) applyScene(ctx context.Context, s step) error {
	states := map[string]any{}
	for key, value := range s.scene {
		states[c.entity(key)] = fmt.Sprint(value)
	}
	return c.act(ctx, "scene.apply", map[string]any{"entities": states})
}

func (c *fieldCase) act(ctx context.Context, action string, data map[string]any, entities ...string) error {
	domain, name, _ := strings.Cut(action, ".")
	_, err := c.host.Action(ctx, domain, name, data, entities...)
	return err
}

func (c *fieldCase) entities(keys []string) (ids []string) {
	for _, key := range keys {
		ids = append(ids, c.entity(key))
	}
	return ids
}
