package plugin

import (
	"strconv"
	"strings"
	"time"

	"solarhub/devices/profile"
	"solarhub/devices/profile/strict"
	"solarhub/protocol"
)

// expectation is what expect.yaml says; testdata/cases/README.md explains each key.
type expectation struct {
	pending    string
	start, run time.Duration
	steps      []step

	states, reasons, published map[string][]string // by point, NAME/point where there are several devices
	registers                  map[string]string
	unavailable, late          string
	connections, requests      span
	asked                      map[string]span
	never                      []protocol.Range
	writes                     []string
	writesGiven                bool
	advice                     []string
	checked                    bool
	sentences                  []string
	exit                       int64
}

// step is something that happens while the case runs.
type step struct {
	at, within time.Duration
	set, scene map[string]any
	action     string
	group      string // of which set are members
	data       map[string]any
	target     []string
	replaced   string // serial number of the device that takes the place of the first
	restart    bool
	snapshot   []string // a scene is made of what these show
	restore    bool     // that scene is applied
	fails      []string
}

// span is the least and the most of what is counted; most -1: no bound.
type span struct{ least, most float64 }

var anything = span{0, -1}

func (s span) has(n float64) bool { return n >= s.least && (s.most < 0 || n <= s.most) }

func parseExpectation(file string, data []byte) (expectation, error) {
	root, report := strict.Parse(file, data)
	e := expectation{run: time.Minute, unavailable: "0s", connections: span{1, 1}, requests: anything,
		asked: map[string]span{}}
	if root == nil {
		return e, report.Err()
	}
	f := root.Fields("what", "source", "pending", "start", "run", "do", "states", "reasons", "published", "registers",
		"unavailable", "late", "connections", "requests", "asked", "never", "writes", "advice", "check", "exit")
	f.Need("what")
	f.Need("source")
	e.pending = textOf(f, "pending", "")
	e.start, e.run = spanOf(f, "start", 0), spanOf(f, "run", time.Minute)
	e.states, e.reasons, e.published = lists(f.Get("states")), lists(f.Get("reasons")), lists(f.Get("published"))
	e.registers = map[string]string{}
	for _, one := range entriesOf(f.Get("registers")) {
		e.registers[one.Key.Raw()] = one.Value.Raw()
	}
	e.unavailable, e.late = textOf(f, "unavailable", "0s"), textOf(f, "late", "")
	if n := f.Get("connections"); n != nil {
		e.connections = counted(n)
	}
	if n := f.Get("requests"); n != nil {
		e.requests = counted(n)
	}
	for _, one := range entriesOf(f.Get("asked")) {
		e.asked[one.Key.Raw()] = counted(one.Value)
	}
	for _, text := range texts(f.Get("never")) {
		r, err := profile.ParseHole(text)
		if err != nil {
			f.Get("never").Fail("%v", err)
		}
		e.never = append(e.never, r)
	}
	e.writes, e.writesGiven = texts(f.Get("writes")), f.Get("writes") != nil
	e.advice = texts(f.Get("advice"))
	e.checked, e.sentences = f.Get("check") != nil, texts(f.Get("check"))
	if n := f.Get("exit"); n != nil {
		f.Need("check")
		e.exit, _ = n.Int(0, 1)
	}
	if do := f.Get("do"); do != nil {
		for _, n := range do.Items() {
			e.steps = append(e.steps, parseStep(n))
		}
	}
	return e, report.Err()
}

func parseStep(n *strict.Node) step {
	f := n.Fields("at", "set", "group", "scene", "action", "data", "entities", "snapshot", "restore", "restart",
		"replaced", "fails", "within")
	s := step{at: spanOf(f, "at", 0), within: spanOf(f, "within", 0), set: values(f.Get("set")),
		scene: values(f.Get("scene")), action: textOf(f, "action", ""),
		group: textOf(f, "group", ""), replaced: textOf(f, "replaced", ""),
		data:   values(f.Get("data")),
		target: texts(f.Get("entities")), snapshot: texts(f.Get("snapshot")), fails: texts(f.Get("fails"))}
	for key, to := range map[string]*bool{"restart": &s.restart, "restore": &s.restore} {
		if n := f.Get(key); n != nil {
			*to, _ = n.Bool()
		}
	}
	return s
}

func entriesOf(n *strict.Node) []strict.Entry {
	if n == nil {
		return nil
	}
	return n.Entries()
}

func textOf(f strict.Fields, key, absent string) string {
	if n := f.Get(key); n != nil {
		return n.Raw()
	}
	return absent
}

func spanOf(f strict.Fields, key string, absent time.Duration) time.Duration {
	n := f.Get(key)
	if n == nil {
		return absent
	}
	d, _ := n.Duration(0, 48*time.Hour)
	return d
}

// texts reads one text or a list of them.
func texts(n *strict.Node) (all []string) {
	switch {
	case n == nil:
	case n.IsList():
		for _, item := range n.Items() {
			all = append(all, item.Raw())
		}
	default:
		all = []string{n.Raw()}
	}
	return all
}

func lists(n *strict.Node) map[string][]string {
	all := map[string][]string{}
	for _, e := range entriesOf(n) {
		all[e.Key.Raw()] = texts(e.Value)
	}
	return all
}

// values reads what is set: numbers, true and false, and texts.
func values(n *strict.Node) map[string]any {
	all := map[string]any{}
	for _, e := range entriesOf(n) {
		text := e.Value.Raw()
		if number, err := strconv.ParseFloat(text, 64); err == nil {
			all[e.Key.Raw()] = number
		} else if text == "true" || text == "false" {
			all[e.Key.Raw()] = text == "true"
		} else {
			all[e.Key.Raw()] = text
		}
	}
	return all
}

// counted reads "3", "2..5", "..5" or "2..".
func counted(n *strict.Node) span {
	first, last, several := strings.Cut(n.Raw(), "..")
	if !several {
		last = first
	}
	s := anything
	var low, high error
	if first != "" {
		s.least, low = strconv.ParseFloat(first, 64)
	}
	if last != "" {
		s.most, high = strconv.ParseFloat(last, 64)
	}
	if low != nil || high != nil || n.Raw() == "" {
		n.Fail("a count is a number, 2..5, ..5 or 2..")
	}
	return s
}
