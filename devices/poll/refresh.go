package poll

import (
	"context"
	"slices"
	"time"

	"solarhub/protocol"
)

// Refresh has every enabled point read once, also those that the device has refused, ahead of the poll, and waits for
// it. The error is the first that occurred. It may be called from any goroutine.
func (p *Poller) Refresh(ctx context.Context) error {
	done := make(chan error, 1)
	select {
	case p.refreshes <- done:
	case <-p.over:
		return errOver
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// takeRefresh keeps a refresh from waiting where the line is polled without a pause.
func (p *Poller) takeRefresh() {
	select {
	case done := <-p.refreshes:
		p.asked = append(p.asked, done)
	default:
	}
}

// refresh begins the refreshes that were asked for, in one cycle of everything; only one runs at a time.
func (p *Poller) refresh(ctx context.Context) {
	if len(p.asked) == 0 || len(p.waiting) > 0 {
		return
	}
	p.waiting, p.asked, p.first = p.asked, nil, nil
	p.forgetRefusals()
	p.forgetDoubts()
	p.jobs = nil
	p.update(ctx)
	p.start(ctx, everything, protocol.PriorityRead, time.Now())
}

// answerRefreshes tells those who wait once everything has been read, also in halves what was refused.
func (p *Poller) answerRefreshes() {
	refreshing := slices.ContainsFunc(p.jobs, func(j *job) bool { return j.priority < protocol.PriorityPoll })
	if len(p.waiting) == 0 || refreshing || p.doubts.halving() {
		return
	}
	p.answer(p.first)
}

// answer tells those who wait; their channels have room.
func (p *Poller) answer(err error) {
	for _, done := range p.waiting {
		done <- err
	}
	p.waiting = nil
}

// GiveUp ends the refreshes, because the device cannot be asked.
func (p *Poller) GiveUp(err error) {
	p.waiting, p.asked = append(p.waiting, p.asked...), nil
	p.answer(err)
	for _, j := range p.jobs {
		j.priority = protocol.PriorityPoll
	}
}
