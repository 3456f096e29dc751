package protocol

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

// A hold that is no write lets writes go first between its exchanges, unless the second belongs to the first.
func TestBusHoldGivesWay(t *testing.T) {
	for _, tt := range []struct {
		hold, second Priority
		want         []string
	}{
		{PriorityRead, PriorityRead, []string{"r5", "w8", "w9", "r6"}},
		{PriorityRead, PriorityWrite, []string{"r5", "r6", "w8", "w9"}},
		{PriorityWrite, PriorityRead, []string{"r5", "r6", "w8", "w9"}},
	} {
		l := &fakeLink{}
		onBus(t, l, func(t *testing.T, b *Bus) {
			var c callers
			c.Go(func() {
				err := b.Hold(t.Context(), Request{Unit: 1, Priority: tt.hold},
					func(ctx context.Context, x Exchanger) error {
						_, _ = x.Exchange(ctx, at(PriorityRead, 5))
						second := readOf(6, 1)
						second.Priority = tt.second
						_, err := x.Exchange(ctx, second)
						return err
					})
				if err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
			c.do(t.Context(), b, at(PriorityWrite, 8))
			c.do(t.Context(), b, at(PriorityWrite, 9))
			c.do(t.Context(), b, at(PriorityPoll, 1))
			c.Wait()
			if got := l.log[:4]; !slices.Equal(got, tt.want) {
				t.Errorf("hold %d, second %d: %v, want %v", tt.hold, tt.second, got, tt.want)
			}
		})
	}
}

// A hold is not kept from its end by writes without end.
func TestBusHoldIsNotStarved(t *testing.T) {
	l := &fakeLink{}
	onBus(t, l, func(t *testing.T, b *Bus) {
		var c callers
		c.Go(func() {
			_ = b.Hold(t.Context(), Request{Unit: 1, Priority: PriorityRead},
				func(ctx context.Context, x Exchanger) error {
					_, _ = x.Exchange(ctx, at(PriorityRead, 5))
					_, err := x.Exchange(ctx, at(PriorityRead, 6))
					return err
				})
		})
		synctest.Wait()
		for i := range uint16(20) {
			c.do(t.Context(), b, at(PriorityWrite, 100+i))
		}
		c.Wait()
		if at := slices.Index(l.log, "r6"); at != 1+inRow {
			t.Errorf("the second exchange was number %d: %v", at, l.log)
		}
	})
}
