package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/protocol"
)

// unread is about the points of a device that is there and does not give them: which they are, what was answered, and
// what to do. A device that gives most of what is asked for and refuses the rest is well.
func unread(s Symptoms, d DeviceSymptoms) (all []Advice) {
	if !d.Status.Online {
		return nil
	}
	of := func(fits func(devices.Unread) bool) (some []devices.Unread) {
		for _, u := range d.Unread {
			if fits(u) {
				some = append(some, u)
			}
		}
		return some
	}
	for _, code := range codesOf(d.Unread) {
		all = append(all, refused(d, of(func(u devices.Unread) bool { return codeOf(u) == code })))
	}
	if odd := of(func(u devices.Unread) bool { return errors.Is(u.Err, protocol.ErrMisfit) }); len(odd) > 0 {
		all = append(all, mend(IllOddReply,
			"%s answers %s with what is no reply to it (%s). Update its firmware; until then switch %s off",
			d.Config.Name, pointsText(odd), misfitText(odd[0].Err), entities(odd)))
	}
	if still := of(isSilent); len(still) > 0 && !answersSometimes(d) && (still[0].Known || s.losesRequests(d)) {
		all = append(all, unanswered(s, d, still))
	}
	return append(all, notAsked(s, d, of(func(u devices.Unread) bool { return u.Err == nil }))...)
}

// unwell is what is to be said of a device or line that is not as it should be though no cause was found: each device
// is to be there and polled from beginning to end, and the line to be opened once.
func (s Symptoms) unwell(told []Advice) (all []Advice) {
	if !s.Live {
		return nil
	}
	for _, d := range s.Devices {
		about := func(a Advice) bool { return a.Mend && (a.Device == "" || a.Device == d.Config.Name) }
		if slices.ContainsFunc(told, about) {
			continue
		}
		if !d.Status.Online {
			all = append(all, mend(IllAway, "%s is not available: %s", d.Config.Name, d.Status.Reason))
		} else if d.Poll.Requests == 0 && d.Polled > 0 {
			all = append(all, mend(IllUnread, "%s was not read once from beginning to end in %v: try a longer `--for`",
				d.Config.Name, s.Watched.Round(roundWatched)))
		}
	}
	if len(told)+len(all) == 0 && s.Stats.Openings > 1 && s.Stats.LastError != nil {
		all = append(all, mend(IllHangUp, "%s had to be opened %s in %v, because the connection was lost: %v",
			s.Line.Address, times(s.Stats.Openings), s.Watched.Round(roundWatched), s.Stats.LastError))
	}
	return all
}

// codeOf returns the exception that a point was answered with, 0x100 for none.
func codeOf(u devices.Unread) int {
	if no, refused := errors.AsType[protocol.ExceptionError](u.Err); refused && !no.FromGateway() {
		return int(no.Code)
	}
	return noCode
}

const noCode = 0x100

// codesOf returns the exceptions that points were answered with, each once.
func codesOf(all []devices.Unread) (codes []int) {
	seen := map[int]bool{noCode: true}
	for _, u := range all {
		if code := codeOf(u); !seen[code] {
			seen[code] = true
			codes = append(codes, code)
		}
	}
	return codes
}

// refused is about points that are answered with one exception.
func refused(d DeviceSymptoms, some []devices.Unread) Advice {
	no, _ := errors.AsType[protocol.ExceptionError](some[0].Err)
	if 2*len(some) > d.Polled {
		return mend(IllRefused, "%s refuses %d of the %d values that it is asked for, such as %s: it answers %v. "+
			"Is `profile` that of this device?", d.Config.Name, len(some), d.Polled, pointsText(some[:1]), no)
	}
	return note(IllRefused, "%s does not give %s: it answers %v. You can switch %s off", d.Config.Name,
		pointsText(some), no, entities(some))
}

// isSilent reports whether a point gets no answer.
func isSilent(u devices.Unread) bool {
	no, exception := errors.AsType[protocol.ExceptionError](u.Err)
	late := errors.Is(u.Err, protocol.ErrTimeout) && !errors.Is(u.Err, protocol.ErrMisfit) // which may be both
	return late || exception && no.FromGateway()
}

// unanswered is about points that get no answer while others do.
func unanswered(s Symptoms, d DeviceSymptoms, some []devices.Unread) Advice {
	what := "never answers"
	if frames := s.Stats.Frames; frames.Noise+frames.Foreign > 0 {
		what = "sends no readable reply for"
	}
	if some[0].Known {
		return note(IllUnanswered, "%s %s %s, and answers the rest, so it is asked for that only now and then. You "+
			"can switch %s off", d.Config.Name, what, pointsText(some), entities(some))
	}
	return mend(IllUnanswered, "%s %s %s, and answers the rest. Switch %s off, because each try costs the line %v",
		d.Config.Name, what, pointsText(some), entities(some), timeoutOf(d.Config))
}

// notAsked is about points that were not read once though the device was watched for long enough.
func notAsked(s Symptoms, d DeviceSymptoms, some []devices.Unread) []Advice {
	if !s.Live || len(some) == 0 || d.Poll.Behind {
		return nil
	}
	return []Advice{mend(IllUnread, "%s was not read once from beginning to end in %v: %s not read yet. Try again "+
		"with a longer `--for`", d.Config.Name, s.Watched.Round(roundWatched), pointsText(some)+isAre(some))}
}

func isAre(some []devices.Unread) string {
	if len(some) == 1 {
		return " is"
	}
	return " are"
}

// entities names the entities of points as the owner sees them.
func entities(some []devices.Unread) string {
	if len(some) == 1 {
		return "that entity"
	}
	return "those entities"
}

// fewPoints is how many points a sentence names.
const fewPoints = 3

// pointsText names points with their registers: "Power (holding 10)".
func pointsText(some []devices.Unread) string {
	var names []string
	for _, u := range some[:min(len(some), fewPoints)] {
		names = append(names, fmt.Sprintf("%s (%s)", u.Point.Name, profile.HoleText(u.Point.Ranges[0])))
	}
	if more := len(some) - fewPoints; more > 0 {
		names[len(names)-1] += fmt.Sprintf(" and %d more", more)
		return strings.Join(names, ", ")
	}
	return listed(names)
}

// misfitText says what does not fit, without what is said around it.
func misfitText(err error) string {
	_, what, _ := strings.Cut(err.Error(), protocol.ErrMisfit.Error()+": ")
	return what
}
