package demo

import (
	"math"
	"math/rand/v2"
	"time"
)

// weather is the sky over the house, the same for the same seed.
type weather struct{ seed uint64 }

// Sunrise and sunset of a day in early summer.
const (
	sunrise = 5*time.Hour + 30*time.Minute
	sunset  = 20*time.Hour + 30*time.Minute
)

// sun returns the part of their peak that panels give at an age of the house, 0..1.
func (w weather) sun(at time.Duration) float64 {
	now := at % day
	if now <= sunrise || now >= sunset {
		return 0
	}
	height := math.Sin(math.Pi * float64(now-sunrise) / float64(sunset-sunrise))
	return math.Pow(height, 1.25) * w.clear(at)
}

// clear returns how much of the light the clouds let through: banks that last half an hour, with holes of minutes, and
// a shimmer.
func (w weather) clear(at time.Duration) float64 {
	fair := 0.30 + 0.45*w.noise(at, 9*time.Hour, 1) // of the sky, today
	banks := w.noise(at, 35*time.Minute, 2)
	holes := w.noise(at, 4*time.Minute, 3)
	cloud := math.Min(1, math.Max(0, 0.75*banks+0.25*holes-fair)*3)
	return (1 - 0.7*cloud) * (0.98 + 0.02*w.noise(at, 20*time.Second, 4))
}

// noise is a smooth line between random heights, 0..1, with a new one each period.
func (w weather) noise(at, period time.Duration, kind uint64) float64 {
	n := uint64(at / period)
	x := float64(at%period) / float64(period)
	x = x * x * (3 - 2*x)
	return w.height(n, kind)*(1-x) + w.height(n+1, kind)*x
}

func (w weather) height(n, kind uint64) float64 {
	return rand.New(rand.NewPCG(w.seed*31+kind, n)).Float64()
}

// Load is something that takes power at its hours.
type Load struct {
	Watts     float64
	From, To  time.Duration // hours of the day; the same twice: all day
	On, Every time.Duration // within them it is on for a part of each period; 0: all the time
}

// power returns the W of a load at an age of the house. Its periods begin when its seed says.
func (l Load) power(at time.Duration, seed uint64) float64 {
	now := at % day
	if l.From != l.To && (now < l.From || now >= l.To) {
		return 0
	}
	w := weather{seed}
	if l.Every > 0 && (at+time.Duration(float64(l.Every)*w.height(0, 0)))%l.Every >= l.On {
		return 0
	}
	return l.Watts * (0.97 + 0.06*w.noise(at, 15*time.Second, 1))
}
