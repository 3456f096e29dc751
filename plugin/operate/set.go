package operate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"solarhub/devices/profile"
	"solarhub/plugin/control"
	"solarhub/plugin/host"
	"solarhub/plugin/ledger"
	"solarhub/protocol/codec"
)

// Words for what has no value: a button is pressed, and a clock set to the time of now.
const (
	Press = "press"
	Now   = "now"
)

// setWithin is how long a set-value may wait that says nothing of it.
const setWithin = 30 * time.Second

// set carries out a set-value as the hub does for the host.
func (d *Desk) set(ctx context.Context, asked control.AskSet) (control.Outcome, error) {
	t, err := d.known(ctx, asked.Device)
	if err != nil {
		return control.Outcome{}, err
	}
	points := t.Points()
	found, err := pointsFor(t, points, []string{asked.Point})
	if err != nil {
		return control.Outcome{}, err
	}
	if len(found) != 1 || found[0].point == nil {
		return control.Outcome{}, unknown("%q is not one point: %s", asked.Point, meansAll(found))
	}
	call, err := callFor(t, *found[0].point, asked)
	if err != nil {
		return control.Outcome{}, err
	}
	within := time.Duration(asked.WithinMS) * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(within, setWithin))
	defer cancel()
	began := time.Now()
	r := d.Hub.Call(ctx, call)
	if r.Err != nil {
		return control.Outcome{}, failure(r.Err)
	}
	return outcomeOf(t, *found[0].point, r, time.Since(began)), nil
}

func outcomeOf(t target, p profile.Point, r host.Result, took time.Duration) control.Outcome {
	o := control.Outcome{Device: t.Name(), Outcome: ledger.Written, Value: encoded(host.Value(r.Value)),
		TookMS: float64(took.Microseconds()) / 1000}
	switch {
	case r.Superseded:
		o.Outcome = ledger.Superseded
	case r.Unchanged:
		o.Outcome = ledger.Unchanged
	}
	if r.Value != nil {
		o.Text = textOf(p, r.Value)
	}
	return o
}

// callFor returns the host's call that has the same effect.
func callFor(t target, p profile.Point, asked control.AskSet) (host.Call, error) {
	call := host.Call{Action: host.ActionSet, ID: t.ID() + "_" + p.Key, Force: asked.Force,
		By: cmp.Or(asked.By, "control socket")}
	switch {
	case p.Button() && asked.Value != Press:
		return call, refused(p, asked.Value, "it is a command and has no value: say "+Press)
	case p.Button():
		call.Action = host.ActionPress
	case p.IsClock() && p.Write != nil && asked.Value == Now:
		call.Action = host.ActionPress
		call.ID = t.ID() + "_" + p.Key + strings.TrimPrefix(profile.SetClock().Key, profile.ClockQuantity)
	case p.IsClock() && p.Write != nil:
		return call, refused(p, asked.Value, "a clock is only set to the time of now: say "+Now)
	default:
		call.Value = valueOf(p, asked.Value)
	}
	return call, nil
}

func refused(p profile.Point, given, why string) error {
	return &control.Error{Code: host.CodeWrongType, Reason: fmt.Sprintf("%s: %q: %s", p.Name, given, why)}
}

// yes and no are the words that people have for on and off.
var yes, no = []string{"on", "true", "yes", "1"}, []string{"off", "false", "no", "0"}

// valueOf turns what a person has typed into what a host would send. What is nonsense stays as it is: the writer
// refuses it with what is allowed.
func valueOf(p profile.Point, text string) any {
	spec := p.Spec
	if p.Write != nil {
		_, spec = p.WriteTo()
	}
	switch spec.Form {
	case codec.BoolForm:
		if word := strings.ToLower(text); slices.Contains(yes, word) {
			return true
		} else if slices.Contains(no, word) {
			return false
		}
	case codec.OptionForm:
		return optionOf(spec, text)
	}
	return text
}

// optionOf returns the name of an option that is called so, in whatever spelling.
func optionOf(s codec.Spec, text string) string {
	names, labels := s.OptionNames(), s.OptionLabels()
	for i, name := range names {
		if strings.EqualFold(name, text) || strings.EqualFold(labels[i], text) {
			return name
		}
	}
	return text
}

func replacing(asked control.AskReplace) host.Call {
	return host.Call{Action: host.ActionReplace, Device: asked.ID, Found: asked.Serial}
}

// failure is the host's error of a call as it goes over the socket.
func failure(err *host.CallError) error {
	fields := map[string]string{}
	for k, v := range err.Placeholders {
		if v != err.Reason() {
			fields[k] = v
		}
	}
	return &control.Error{Code: err.Code, Reason: err.Reason(), Fields: fields}
}

// encoded is JSON of what a host could be sent.
func encoded(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // a host's value is a scalar
	}
	return text
}
