package hub

import (
	"solarhub/devices"
	"solarhub/devices/plausible"
	"solarhub/plugin/host"
	"solarhub/protocol/codec"
)

// tellFall tells the owner of a lifetime counter that is lower than it was. Its device passes such a reading on only
// once it is sure that the counter stays so: it was begun anew, or is another.
func (s *state) tellFall(u *member, before *latest, r devices.Reading) {
	was := before.Value
	if was.Kind == codec.KindNone {
		was = before.saved.Value // before it had no value: a new meter reads 0 at first
	}
	fell := r.Value.Kind == codec.KindNumber && was.Kind == codec.KindNumber && r.Value.Num < was.Num
	if !fell || len(u.ids[r.Key]) == 0 {
		return
	}
	if rule, ok := plausible.RuleOf(u.points[r.Key], nil); !ok || rule.Kind != plausible.Lifetime {
		return
	}
	s.hub.asks.Notify(host.Notice{Kind: host.NoticeCounter, ID: u.ids[r.Key][0], Wanted: was.Any(),
		Found: r.Value.Any()})
}
