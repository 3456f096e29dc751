//go:build linux

package plugin

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"solarhub/plugin/cache"
	"solarhub/plugin/cache/disktest"
)

// logged is what a plugin has logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// lines returns the lines that contain a text.
func (l *logged) lines(with string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, with) {
			found = append(found, line)
		}
	}
	return found
}

const (
	cacheIsAway = "The cache cannot be written"
	cacheIsBack = "The cache is written again"
)

// serves proves that values come from the device and go to it.
func (h *house) serves(value uint16) {
	h.t.Helper()
	h.set(chargeEnd, value)
	h.wait("battery_grid_charge_soc", fmt.Sprint(value))
	value++
	err := h.host().SetValue(h.ctx, id("battery_grid_charge_soc"), float64(value))
	if got := h.register(chargeEnd); err != nil || got != value {
		h.t.Errorf("set to %d: %v, the register holds %d", value, err, got)
	}
}

func TestDiskIsFullAndHasRoomAgain(t *testing.T) {
	if !disktest.Inside(t) {
		return
	}
	disk := disktest.Memory(t, 12<<20)
	fill := disktest.Fill(t, disk)
	log := &logged{}
	h := newHouseAt(t, filepath.Join(disk, "data"), log)
	h.start()
	h.serves(10)
	h.poll("it is told", func() bool { return len(log.lines(cacheIsAway)) == 1 })
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	h.poll("there is room again", func() bool { return len(log.lines(cacheIsBack)) == 1 })
	h.serves(20)

	fill = disktest.Fill(t, disk)
	h.poll("it is told again", func() bool { // the last block of the file takes a few changes more
		h.serves(30)
		return len(log.lines(cacheIsAway)) == 2
	})
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	h.halt() // writes what it could not before
	store, damage, err := cache.Open(h.data, zerolog.Nop())
	if err != nil || damage != nil {
		t.Fatal(damage, err)
	}
	kept := map[string]string{}
	err = store.Each("", func(key string, value []byte) error { kept[key] = string(value); return nil })
	if got := kept["value/"+serialNumber+"/battery_grid_charge_soc"]; err != nil || !strings.Contains(got, `"num":31`) {
		t.Errorf("the cache holds %q, want 31; %v", got, err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	for _, line := range log.lines("ache") {
		t.Log(line)
	}
}

// A folder that can never be used stops nothing.
func TestTheCacheCannotBeOpened(t *testing.T) {
	log := &logged{}
	h := newHouseAt(t, "/proc/nothing", log)
	h.start()
	h.serves(10)
	h.poll("it is told", func() bool { return len(log.lines(cacheIsAway)) == 1 })
	h.serves(20)
	h.halt()
	if n := len(log.lines(`"level":"error"`)); n != 1 {
		t.Errorf("%d errors: %s", n, log.text.String())
	}
}

// newHouseAt is newHouse with a folder for the cache, a log, and time for a disk that comes and goes: changes are saved
// every 5 seconds.
func newHouseAt(t *testing.T, data string, log *logged) *house {
	t.Helper()
	h := newHouse(t, "")
	h.config = strings.Replace(h.config, h.data, data, 1)
	h.data, h.log = data, zerolog.New(log).Level(zerolog.InfoLevel)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	t.Cleanup(cancel)
	h.ctx = ctx
	return h
}
