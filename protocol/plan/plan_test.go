package plan_test

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"solarhub/protocol"
	"solarhub/protocol/plan"
)

func at9600(turnaround time.Duration) protocol.Timing {
	serial := protocol.DefaultSerial
	return protocol.Timing{Serial: &serial, Turnaround: turnaround}
}

// load reads the registers of a real device: table, address, count.
func load(t testing.TB, name string) (items []protocol.Range) {
	t.Helper()
	f, err := os.Open("testdata/" + name + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		addr, _ := strconv.Atoi(row[1])
		count, _ := strconv.Atoi(row[2])
		item := protocol.Range{Addr: uint16(addr), Count: uint16(count)}
		if row[0] == "input" {
			item.Table = protocol.InputRegister
		}
		items = append(items, item)
	}
	return items
}

func show(reads []plan.Read) string {
	var parts []string
	for _, r := range reads {
		parts = append(parts, fmt.Sprintf("(%d,%d)", r.Range.Addr, r.Range.Count))
	}
	return strings.Join(parts, "")
}

// The figures were computed independently of this package, by a program of its own over the same model.
func TestRealMaps(t *testing.T) {
	tests := []struct {
		name       string
		max        uint16
		turnaround time.Duration
		requests   int
		cost       time.Duration
		want       string
	}{
		{"powdrive", 125, 20 * time.Millisecond, 6, 830 * time.Millisecond,
			"(0,23)(98,94)(223,2)(336,5)(500,59)(586,98)"},
		{"powdrive", 125, 0, 9, 673 * time.Millisecond, ""},
		{"powdrive", 125, 5 * time.Millisecond, 8, 717 * time.Millisecond, ""},
		{"powdrive", 125, 50 * time.Millisecond, 6, 1010 * time.Millisecond, ""},
		{"powdrive", 40, 20 * time.Millisecond, 10, 940 * time.Millisecond, ""},
	}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%s max %d T %v", test.name, test.max, test.turnaround), func(t *testing.T) {
			items, timing := load(t, test.name), at9600(test.turnaround)
			reads, err := plan.Plan(items, plan.Limits{MaxRegisters: test.max}, timing)
			if err != nil {
				t.Fatal(err)
			}
			cost := plan.Cost(reads, timing)
			if len(reads) != test.requests || cost.Round(time.Millisecond) != test.cost {
				t.Errorf("got %d requests, %v: %s; want %d, %v", len(reads), cost, show(reads), test.requests,
					test.cost)
			}
			if test.want != "" && show(reads) != test.want {
				t.Errorf("got %s, want %s", show(reads), test.want)
			}
			valid(t, items, reads, plan.Limits{MaxRegisters: test.max})
		})
	}
}

func TestSenergyKeepsTablesApart(t *testing.T) {
	items, timing := load(t, "senergy"), at9600(20*time.Millisecond)
	reads, err := plan.Plan(items, plan.Limits{}, timing)
	if err != nil {
		t.Fatal(err)
	}
	const want = "(4112,45)(4864,18)(4914,6)(4944,20)" +
		"(6656,24)(6715,14)(8192,20)(8448,32)(8553,22)(12350,1)(12469,6)(24577,1)(4945,4)"
	if show(reads) != want {
		t.Errorf("got %s, want %s", show(reads), want)
	}
	if last := reads[len(reads)-1].Range; last.Table != protocol.InputRegister {
		t.Errorf("the last read is %v, want the input registers behind the holding registers", last)
	}
	valid(t, items, reads, plan.Limits{})
}

// valid checks what every plan must be: each item covered by exactly one read that names it, no hole, no read too long.
func valid(t interface{ Fatalf(string, ...any) }, items []protocol.Range, reads []plan.Read, limits plan.Limits) {
	covered := make([]int, len(items))
	for _, r := range reads {
		if !r.Range.Table.Bits() && r.Range.Count > min(max(limits.MaxRegisters, 1)-1, 124)+1 &&
			limits.MaxRegisters != 0 {
			t.Fatalf("%v is longer than %d", r.Range, limits.MaxRegisters)
		}
		for _, i := range r.Items {
			covered[i]++
			if !r.Range.Contains(items[i]) {
				t.Fatalf("%v names item %v outside it", r.Range, items[i])
			}
		}
		for _, h := range limits.Holes {
			if h.Count > 0 && h.Overlaps(r.Range) {
				t.Fatalf("%v touches hole %v", r.Range, h)
			}
		}
	}
	for i, n := range covered {
		if n != 1 {
			t.Fatalf("item %v is covered %d times", items[i], n)
		}
	}
}

// brute tries every way to cut the sorted items into runs and every order of nested ones is inside by construction.
func brute(items []protocol.Range, limits plan.Limits, timing protocol.Timing) time.Duration {
	best := time.Duration(-1)
	assign := make([]int, len(items))
	var try func(i, groups int)
	try = func(i, groups int) {
		if i == len(items) {
			if cost, ok := price(items, assign, groups, limits, timing); ok && (best < 0 || cost < best) {
				best = cost
			}
			return
		}
		for g := 0; g <= groups; g++ {
			assign[i] = g
			try(i+1, max(groups, g+1))
		}
	}
	try(0, 0)
	return best
}

// price returns the cost of reading each group of items in one read.
func price(items []protocol.Range, assign []int, groups int, limits plan.Limits, timing protocol.Timing) (time.Duration,
	bool) {
	var sum time.Duration
	for g := range groups {
		low, high := uint32(1<<17), uint32(0)
		for i, item := range items {
			if assign[i] == g {
				low, high = min(low, uint32(item.Addr)), max(high, item.End())
			}
		}
		if high-low > uint32(limits.MaxRegisters) {
			return 0, false
		}
		span := protocol.Range{Addr: uint16(low), Count: uint16(high - low)}
		for _, h := range limits.Holes {
			if h.Count > 0 && h.Overlaps(span) {
				return 0, false
			}
		}
		for at := low; limits.NamedOnly && at < high; at++ {
			has := func(item protocol.Range) bool { return uint32(item.Addr) <= at && at < item.End() }
			if !slices.ContainsFunc(items, has) {
				return 0, false
			}
		}
		sum += timing.Exchange(protocol.Read, span)
	}
	return sum, true
}

// greedy merges neighbours while the hole between them is cheaper than a request of its own.
func greedy(items []protocol.Range, limits plan.Limits, timing protocol.Timing) time.Duration {
	cut := func(a, b protocol.Range) bool {
		length := max(a.End(), b.End()) - uint32(a.Addr)
		if length > uint32(limits.MaxRegisters) {
			return true
		}
		joined := protocol.Range{Addr: a.Addr, Count: uint16(length)}
		hole := func(h protocol.Range) bool { return h.Overlaps(joined) }
		for _, h := range limits.Holes {
			if hole(h) {
				return true
			}
		}
		return timing.Exchange(protocol.Read, joined) >
			timing.Exchange(protocol.Read, a)+timing.Exchange(protocol.Read, b)
	}
	var sum time.Duration
	current := items[0]
	for _, item := range items[1:] {
		if cut(current, item) {
			sum += timing.Exchange(protocol.Read, current)
			current = item
			continue
		}
		current.Count = uint16(max(current.End(), item.End()) - uint32(current.Addr))
	}
	return sum + timing.Exchange(protocol.Read, current)
}

// timings are the two models of the wire: a serial line, and Modbus TCP where a register costs next to nothing.
func timings(turnaround time.Duration) [2]protocol.Timing {
	return [2]protocol.Timing{at9600(turnaround), {Turnaround: turnaround}}
}

// randomMap is a small map: items that repeat, overlap and lie in each other, holes that do too, at either end of the
// addresses.
func randomMap(random *rand.Rand) (items []protocol.Range, limits plan.Limits) {
	base := []int{0, 65536 - 104}[random.IntN(2)]
	limits.MaxRegisters, limits.NamedOnly = uint16(4+random.IntN(40)), random.IntN(3) == 0
	for range random.IntN(5) {
		limits.Holes = append(limits.Holes,
			protocol.Range{Addr: uint16(base + random.IntN(100)), Count: uint16(random.IntN(4))})
	}
	for range 1 + random.IntN(7) {
		item := protocol.Range{Addr: uint16(base + random.IntN(100)), Count: uint16(1 + random.IntN(4))}
		if !slices.ContainsFunc(limits.Holes, func(h protocol.Range) bool { return h.Count > 0 && h.Overlaps(item) }) {
			items = append(items, item)
		}
	}
	return items, limits
}

func TestEqualToBruteForceOnSmallMaps(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 10_000 {
		items, limits := randomMap(random)
		for _, timing := range timings(time.Duration(random.IntN(50)) * time.Millisecond) {
			reads, err := plan.Plan(items, limits, timing)
			if err != nil {
				t.Fatal(err)
			}
			valid(t, items, reads, limits)
			if got, want := plan.Cost(reads, timing), max(brute(items, limits, timing), 0); got != want {
				t.Fatalf("seed %d: items %v, limits %v: plan %s costs %v, the best possible %v", seed, items, limits,
					show(reads), got, want)
			}
		}
	}
}

func TestNeverAboveGreedy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := plan.Limits{MaxRegisters: rapid.Uint16Range(4, 125).Draw(t, "max")}
		timing := timings(time.Duration(rapid.IntRange(0, 50).Draw(t, "ms")) * time.Millisecond)[rapid.IntRange(0,
			1).Draw(t, "tcp")]
		items, addr := []protocol.Range{}, uint32(0)
		for range rapid.IntRange(1, 60).Draw(t, "n") {
			addr += rapid.Uint32Range(0, 90).Draw(t, "gap")
			if rapid.IntRange(0, 9).Draw(t, "hole") == 0 {
				limits.Holes = append(limits.Holes, protocol.Range{Addr: uint16(addr), Count: 1})
				addr++
			}
			count := rapid.Uint16Range(1, 4).Draw(t, "count")
			items = append(items, protocol.Range{Addr: uint16(addr), Count: count})
			addr += uint32(count)
		}
		reads, err := plan.Plan(items, limits, timing)
		if err != nil {
			t.Fatal(err)
		}
		valid(t, items, reads, limits)
		if got, other := plan.Cost(reads, timing), greedy(items, limits, timing); got > other {
			t.Fatalf("plan costs %v, greedy %v", got, other)
		}
	})
}

// A hole is in the way of nothing but what lies across it: not of what touches it, nor of another table; an empty one
// is none.
func TestHoles(t *testing.T) {
	items := []protocol.Range{{Addr: 0, Count: 2}, {Addr: 4, Count: 2}, {Addr: 8, Count: 2}, {Addr: 10, Count: 1}}
	for _, test := range []struct {
		holes []protocol.Range
		want  string
	}{
		{nil, "(0,11)"},
		{[]protocol.Range{{Addr: 2, Count: 2}}, "(0,2)(4,7)"},
		{[]protocol.Range{{Addr: 2, Count: 2}, {Addr: 3, Count: 1}, {Addr: 2, Count: 1}}, "(0,2)(4,7)"},
		{[]protocol.Range{{Addr: 7, Count: 1}, {Addr: 2, Count: 1}}, "(0,2)(4,2)(8,3)"},
		{[]protocol.Range{{Addr: 11, Count: 100}}, "(0,11)"},
		{[]protocol.Range{{Addr: 5, Count: 0}, {Addr: 10, Count: 0}}, "(0,11)"},
		{[]protocol.Range{{Table: protocol.InputRegister, Addr: 0, Count: 100}}, "(0,11)"},
	} {
		reads, err := plan.Plan(items, plan.Limits{Holes: test.holes}, at9600(0))
		if err != nil || show(reads) != test.want {
			t.Errorf("holes %v: %s, %v, not %s", test.holes, show(reads), err, test.want)
		}
	}
}

func TestRefusesWhatCannotBeRead(t *testing.T) {
	limits := plan.Limits{MaxRegisters: 10, Holes: []protocol.Range{{Addr: 5, Count: 2}}}
	for want, item := range map[string]protocol.Range{
		"plan holding 20+11: longer than the 10 that one read may have": {Addr: 20, Count: 11},
		"plan holding 4+2: touches holding 5+2, which must not be read": {Addr: 4, Count: 2},
		"plan holding 9+0: empty or beyond address 65535":               {Addr: 9},
		"plan holding 65535+2: empty or beyond address 65535":           {Addr: 65535, Count: 2},
		"plan coil 0+2001: longer than the 2000 that one read may have": {Table: protocol.Coil, Count: 2001},
	} {
		if _, err := plan.Plan([]protocol.Range{item}, limits, at9600(0)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestNothingWantedNothingRead(t *testing.T) {
	if reads, err := plan.Plan(nil, plan.Limits{}, at9600(0)); err != nil || len(reads) != 0 {
		t.Errorf("got %v, %v", reads, err)
	}
}

func TestLongest(t *testing.T) {
	timing := at9600(20 * time.Millisecond)
	reads := []plan.Read{{Range: protocol.Range{Count: 3}}, {Range: protocol.Range{Count: 40}},
		{Range: protocol.Range{Count: 7}}}
	if got, want := plan.Longest(reads, timing), timing.Exchange(protocol.Read,
		protocol.Range{Count: 40}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// The worst maps there are for it: as many points as fit into each read, and as many holes as points.
func worst() map[string]func() ([]protocol.Range, plan.Limits) {
	fill := func(table protocol.Table, step int, holes bool) func() ([]protocol.Range, plan.Limits) {
		return func() (items []protocol.Range, limits plan.Limits) {
			for i := range 10_000 {
				items = append(items, protocol.Range{Table: table, Addr: uint16(i * step), Count: 1})
				if holes {
					limits.Holes = append(limits.Holes,
						protocol.Range{Table: table, Addr: uint16(i*step + step - 1), Count: 1})
				}
			}
			return items, limits
		}
	}
	return map[string]func() ([]protocol.Range, plan.Limits){
		"registers":           fill(protocol.HoldingRegister, 1, false),
		"sparse registers":    fill(protocol.HoldingRegister, 6, false),
		"registers and holes": fill(protocol.HoldingRegister, 6, true),
		"bits":                fill(protocol.Coil, 1, false),
	}
}

// However many the points and the holes, there are a few allocations for each read and none for a point.
func TestTenThousandPointsAllocateByReads(t *testing.T) {
	for name, make := range worst() {
		items, limits := make()
		reads := 0
		allocations := testing.AllocsPerRun(1, func() {
			planned, err := plan.Plan(items, limits, at9600(20*time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			reads = len(planned)
		})
		if most := float64(10*reads + 100); allocations > most {
			t.Errorf("%s: %v allocations for %d reads, more than %v", name, allocations, reads, most)
		}
	}
}

func BenchmarkTenThousandPoints(b *testing.B) {
	for name, make := range worst() {
		b.Run(name, func(b *testing.B) {
			items, limits := make()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plan.Plan(items, limits, at9600(20*time.Millisecond)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
