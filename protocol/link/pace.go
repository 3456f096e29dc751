package link

import (
	"errors"
	"time"

	"solarhub/protocol"
)

// pace is the gap that a stick is found to need. Sticks answer a request 2 ms behind an answer (jmccrohan/pysolarmanv5
// #19) and are lost to polling all the same (StephanJoubert/home_assistant_solarman #523, davidrapan/ha-solarman #510):
// one that leaves requests without an answer, or closes the connection, has more time until it does well again.
type pace struct {
	gap  time.Duration
	good int // answers in a row
}

// davidrapan/ha-solarman leaves 100 ms between any two requests.
const (
	paceFirst = 100 * time.Millisecond
	paceMost  = 400 * time.Millisecond
	paceGood  = 20 // answers behind which half of the gap is tried
	paceLeast = 20 * time.Millisecond
)

// behind returns the gap behind an exchange that ended with err. A nil pace learns nothing.
func (p *pace) behind(err error) time.Duration {
	if p == nil {
		return 0
	}
	_, said := errors.AsType[noReply](err)
	lost := !said && (errors.Is(err, protocol.ErrTimeout) || errors.Is(err, protocol.ErrHungUp))
	if p.good++; lost {
		p.good, p.gap = 0, min(max(2*p.gap, paceFirst), paceMost)
	} else if p.good >= paceGood {
		if p.good, p.gap = 0, p.gap/2; p.gap < paceLeast {
			p.gap = 0
		}
	}
	return p.gap
}
