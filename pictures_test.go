//go:build linux

package main_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"solarhub/plugin/cache/disktest"
)

// TestEndToEndPictures shows what the owner sees when something is wrong: the cache's disk is full, a device is in its
// grace, and a write is refused because its device is away. SOLARHUB_SHOTS=folder keeps the pictures.
func TestEndToEndPictures(t *testing.T) {
	h := nameHome(t)
	if !disktest.Inside(t) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	disk := disktest.Memory(t, 12<<20)
	b := buildHouse(ctx, t, h)
	b.reconfigure("data: "+filepath.Join(filepath.Dir(b.config), "data"), "data: "+filepath.Join(disk, "data"))
	b.reconfigure("name: end-to-end", "name: pictures")
	install(ctx, t, h, b)
	h.connect(ctx)
	defer h.disconnect()
	forget(ctx, t, h)
	b.run(ctx, h)
	e := &endToEnd{home: h, house: b}
	const key = "battery_charge_current_max"
	h.until(ctx, time.Minute, "a value", func() bool {
		e.ids, _ = h.registered(ctx)
		s := h.states(ctx)[e.ids[b.powdrive.serial+"_"+key]].State
		return s != "" && s != "unavailable" && s != "unknown"
	})
	p := openHome(t, h.url, h.token)
	e.fullDisk(ctx, t, p, disk)
	e.away(ctx, t, p, key)
}

// cacheIssue returns whether the host shows that the plugin cannot save anything.
func (e *endToEnd) cacheIssue(ctx context.Context) bool {
	var list struct {
		Issues []struct {
			Key string `json:"translation_key"`
		} `json:"issues"`
	}
	if err := e.home.ask(ctx, map[string]any{"type": "repairs/list_issues"}, &list); err != nil {
		return false
	}
	for _, issue := range list.Issues {
		if issue.Key == "cache" {
			return true
		}
	}
	return false
}

func (e *endToEnd) fullDisk(ctx context.Context, t *testing.T, p *page, disk string) {
	fill := disktest.Fill(t, disk)
	e.home.until(ctx, time.Minute, "the owner hears of the full disk", func() bool { return e.cacheIssue(ctx) })
	p.Goto("/config/repairs")
	p.WaitText("cannot save anything")
	p.Shot("disk-full-list")
	p.Click(`deep("ha-config-repairs", "ha-md-list-item, ha-list-item, mwc-list-item, ha-list-item-button")`)
	p.WaitText("Make room on the disk")
	p.Shot("disk-full")
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	e.home.until(ctx, time.Minute, "the warning disappears", func() bool { return !e.cacheIssue(ctx) })
}

// away unplugs a line and looks at its device, and at a card on which a value is set meanwhile.
func (e *endToEnd) away(ctx context.Context, t *testing.T, p *page, key string) {
	i, number := e.house.powdrive, e.id(t, e.house.powdrive, key)
	before := e.home.states(ctx)[number].State
	device := ""
	var list []struct {
		ID          string     `json:"id"`
		Identifiers [][]string `json:"identifiers"`
	}
	if err := e.home.ask(ctx, map[string]any{"type": "config/device_registry/list"}, &list); err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if len(d.Identifiers) == 1 && d.Identifiers[0][1] == i.serial {
			device = d.ID
		}
	}
	p.Goto("/config/dashboard")
	p.newDashboard("solarhub-away", []string{number, e.id(t, i, "work_mode"), e.id(t, i, "battery_soc"),
		e.id(t, i, "battery_power"), e.id(t, i, "line_advice")})
	p.Goto("/solarhub-away/0")
	p.Wait("the card", `deep("hui-entities-card")`)
	if err := i.pty.Unplug(); err != nil {
		t.Fatal(err)
	}
	unplugged := time.Now()
	_ = pause(ctx, 3*time.Second)
	p.SetNumber(number, 77)
	p.WaitText("cannot be reached")
	t.Logf("the card says why after %v", time.Since(unplugged).Round(time.Millisecond))
	p.Shot("write-refused-away")
	if s := e.home.states(ctx)[number].State; s != before {
		t.Errorf("%s is %q, not %q as before", number, s, before)
	}
	p.Goto("/solarhub-away/0")
	p.WaitText("is the adapter plugged in?")
	p.Shot("device-in-grace")
	p.Goto("/config/devices/device/" + device)
	p.WaitText("Work mode")
	t.Logf("the device's page is of %v after it went", time.Since(unplugged).Round(time.Millisecond))
	e.home.until(ctx, time.Minute, "unavailable", func() bool {
		return e.home.states(ctx)[number].State == "unavailable"
	})
	p.Shot("device-away")
	if err := i.pty.Plug(); err != nil {
		t.Fatal(err)
	}
	e.home.until(ctx, 2*time.Minute, "back", func() bool { return e.home.states(ctx)[number].State == before })
}
