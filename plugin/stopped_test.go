package plugin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"solarhub/devices/profile"
	"solarhub/devices/simulate"
	"solarhub/plugin/config"
	"solarhub/plugin/devhost"
	"solarhub/plugin/host/waytest"
	"solarhub/protocol"
	"solarhub/protocol/sim"
)

// childEnv names the configuration that a child process runs until it is told to end.
const childEnv = "PLUGIN_TEST_CHILD"

// child is SolarHub in a process of its own, which can be stopped.
func child(path string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err := func() error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		c, err := config.Parse(path, text)
		if err != nil {
			return err
		}
		p, err := New(c, Deps{Log: zerolog.New(os.Stderr).With().Timestamp().Logger(), Version: "1.2.3"})
		if err != nil {
			return err
		}
		return p.Run(ctx)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// apart is a host, a simulated inverter, and a process with the plugin between them.
type apart struct {
	host    *devhost.Host
	way     *waytest.Way
	unit    *sim.Unit
	line    *sim.Line
	points  []profile.Point // numbers of one register that the owner may set
	process *os.Process
}

func startApart(t *testing.T) *apart {
	family, err := profile.Get("senergy")
	if err != nil {
		t.Fatal(err)
	}
	a := &apart{}
	traits := profile.Traits{"phases": "single"}
	if a.unit, err = simulate.Unit(family, traits, serialNumber); err != nil {
		t.Fatal(err)
	}
	points, err := family.Resolve(traits)
	if err != nil {
		t.Fatal(err)
	}
	a.points = slices.DeleteFunc(points, func(p profile.Point) bool {
		return p.Write == nil || p.Write.Arm || p.Entity.Platform != "number" || len(p.Ranges) != 1 ||
			p.Ranges[0].Count != 1
	})
	a.host = devhost.New(devhost.Options{Token: goodToken})
	t.Cleanup(a.host.Close)
	server := httptest.NewServer(a.host.Handler())
	t.Cleanup(server.Close)
	a.way = waytest.Open(t, strings.TrimPrefix(server.URL, "http://"))
	a.line = sim.NewLine(sim.Options{Keep: 1 << 16}, a.unit)
	dir := t.TempDir()
	text := fmt.Sprintf("host: {url: %q, token: %s}\nname: house\ndata: %s\nlines:\n  - tcp: %s\n    devices:\n"+
		"      - {profile: senergy, turnaround: 0s, timeout: 3s, join_writes: false, poll: {now: 2s}}\n",
		"http://"+a.way.Address, goodToken, dir, serve(t, a.line))
	path := filepath.Join(dir, "solarhub.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childEnv+"="+path)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	a.process = command.Process
	t.Cleanup(func() {
		_ = a.process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil {
			t.Errorf("the process ended with %v", err)
		}
		log.Close()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("its log ends with\n%s", text[max(0, len(text)-8000):])
		}
	})
	a.ready(t)
	a.points = slices.DeleteFunc(a.points, func(p profile.Point) bool {
		_, enabled := a.host.State(id(p.Key))
		return !enabled
	})
	return a
}

func (a *apart) ready(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	if err := a.host.WaitReady(ctx, "house"); err != nil {
		t.Fatal(err)
	}
}

// stoppedScore is what the campaign counts. From wrong on everything must be 0.
type stoppedScore struct{ stops, stalls, cuts, calls, confirmed, wrong, denied, late, stuck int }

func (s *stoppedScore) add(o stoppedScore) {
	s.stops, s.stalls, s.cuts = s.stops+o.stops, s.stalls+o.stalls, s.cuts+o.cuts
	s.calls, s.confirmed = s.calls+o.calls, s.confirmed+o.confirmed
	s.wrong, s.denied, s.late, s.stuck = s.wrong+o.wrong, s.denied+o.denied, s.late+o.late, s.stuck+o.stuck
}

func (s stoppedScore) String() string {
	return fmt.Sprintf("a process stopped %d times, the way to its host stalled %d times and cut at one end %d times; "+
		"%d set-values, %d confirmed\n%d said to be done and not, %d done but denied, %d written after their callers "+
		"were told, %d calls stuck",
		s.stops, s.stalls, s.cuts, s.calls, s.confirmed, s.wrong, s.denied, s.late, s.stuck)
}

// disturb stops the process for 0.1 to 60 s, stalls the way in one direction for 1 to 15 s, or cuts the connection at
// the host's end only.
func (a *apart) disturb(r *rand.Rand, score *stoppedScore) {
	switch r.IntN(4) {
	case 0, 1:
		d := time.Duration(float64(100*time.Millisecond) * math.Pow(600, r.Float64()))
		if r.IntN(2) == 0 { // about when sessions and calls are given up
			d = time.Duration(r.Int64N(int64(20*time.Second))) + 15*time.Second
		}
		score.stops++
		_ = a.process.Signal(syscall.SIGSTOP)
		time.Sleep(d)
		_ = a.process.Signal(syscall.SIGCONT)
	case 2:
		score.stalls++
		a.way.Hold(waytest.Direction(r.IntN(2)), time.Duration(r.Int64N(int64(14*time.Second)))+time.Second)
	case 3:
		score.cuts++
		a.way.Cut()
	}
}

// apartCall is one set-value and its end.
type apartCall struct {
	point profile.Point
	value float64
	err   error
	told  time.Time // zero: never
}

// round sets all points of a slow and faulty device, disturbs that, and counts.
func (a *apart) round(t *testing.T, r *rand.Rand) (score stoppedScore) {
	faults, err := sim.ParseFaults(
		"drop=1%,reply-lost=1%,late=1%:3.5s,exception=1%:3,exception=1%:6,close-before=1%:1s")
	if err != nil {
		t.Fatal(err)
	}
	slow := time.Duration(r.Int64N(int64(2500 * time.Millisecond)))
	a.line.Play(sim.NewScript(r.Uint64(), append(faults,
		sim.Fault{Match: sim.Match{Functions: sim.WriteFunctions}, Kind: sim.Late, Delay: slow})...))
	since := a.line.Journal().Last()
	calls := make([]apartCall, len(a.points))
	var calling sync.WaitGroup
	for i, p := range a.points {
		c := &calls[i]
		c.point, c.value = p, p.Write.Min
		if words, _ := a.unit.Get(p.Ranges[0].Table, p.Ranges[0].Addr, 1); p.Spec.Decode(words).Num == c.value {
			c.value += p.Write.Step
		}
		wait := time.Duration(r.Int64N(int64(3 * time.Second)))
		calling.Go(func() {
			time.Sleep(wait)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := a.host.SetValue(ctx, id(p.Key), c.value)
			if ctx.Err() == nil {
				c.err, c.told = err, time.Now()
			}
		})
	}
	time.Sleep(time.Duration(r.Int64N(int64(10 * time.Second))))
	a.disturb(r, &score)
	calling.Wait()
	a.line.Play(nil)
	a.ready(t)
	time.Sleep(5 * time.Second) // for what might still come
	for _, c := range calls {
		a.judge(t, c, a.line.Journal().Since(since), &score)
	}
	return score
}

// notWritten are the codes that say that nothing was written.
var notWritten = []string{"expired", "cancelled", "stopping", "queue_full", "not_connected", "not_identified"}

func (a *apart) judge(t *testing.T, c apartCall, journal []sim.Exchange, score *stoppedScore) {
	at := c.point.Ranges[0]
	words, _ := a.unit.Get(protocol.HoldingRegister, at.Addr, 1)
	holds := c.point.Spec.Decode(words).Num == c.value
	failed, _ := errors.AsType[*devhost.Error](c.err)
	complain := func(counter *int, format string, args ...any) {
		*counter++
		t.Errorf("%s = %v, told %v: "+format, append([]any{c.point.Key, c.value, c.err}, args...)...)
	}
	score.calls++
	switch {
	case c.told.IsZero():
		complain(&score.stuck, "the call is stuck")
		return
	case c.err == nil:
		if score.confirmed++; !holds {
			complain(&score.wrong, "the device holds %v", words)
		}
		return
	case failed != nil && slices.Contains(notWritten, failed.Key) && holds:
		complain(&score.denied, "it was written")
	}
	for _, x := range journal {
		if x.Write() && x.Range.Overlaps(at) && x.At.After(c.told) {
			complain(&score.late, "it was written %v later", x.At.Sub(c.told))
		}
	}
}

// TestCampaignOfStops plays what no virtual clock can: SolarHub runs in processes of their own, which are stopped for
// 0.1 to 60 s, and the way to their hosts stalls or is cut at one end, while set-values go to slow and faulty devices.
// CAMPAIGN_STOPS says how often, CAMPAIGN_SEED repeats a run.
func TestCampaignOfStops(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("CAMPAIGN_STOPS"))
	if err != nil {
		t.Skip("it takes a minute for each: CAMPAIGN_STOPS says how often a process is stopped or cut off")
	}
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("CAMPAIGN_SEED"), 10, 64); err == nil {
		seed = n
	}
	const most = 16 // at the same time
	var total stoppedScore
	var mu sync.Mutex
	var running sync.WaitGroup
	for i := range min(rounds, most) {
		running.Go(func() {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				a := startApart(t)
				for n := i; n < rounds; n += most {
					score := a.round(t, r)
					mu.Lock()
					total.add(score)
					mu.Unlock()
				}
			})
		})
	}
	running.Wait()
	t.Logf("seed %d\n%v", seed, total)
}
