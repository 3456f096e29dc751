package devices

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"solarhub/protocol/sim"
)

// campaignNumber is what the variable of the environment says.
func campaignNumber(t *testing.T, variable string, otherwise int) int {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is %q, not a number of faults", variable, text)
	}
	return n
}

// campaignSeed is the seed of the campaign.
func campaignSeed(t *testing.T) uint64 {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("CAMPAIGN_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("CAMPAIGN_SEED is %q, not a seed", text)
		}
		seed = n
	}
	return seed
}

// Whatever a line does: no value that the device did not mean, no set-value lost, doubled or late, nobody left waiting.
// On virtual time. CAMPAIGN says on how many exchanges something goes wrong, CAMPAIGN_SEED repeats a run, CAMPAIGN_ONLY
// the courses of it that have these words in their name, with the frames if it is the whole name of one.
func TestCampaign(t *testing.T) {
	seed, faults, only := campaignSeed(t), campaignNumber(t, "CAMPAIGN", 10_000), os.Getenv("CAMPAIGN_ONLY")
	before := goleak.IgnoreCurrent()
	all, kinds := courses(), sim.Kinds()
	var total score
	for i, c := range all {
		for j, kind := range kinds {
			c.focus, c.seed, c.most = kind, seed+uint64(i*len(kinds)+j), faults/(len(all)*len(kinds))
			title := fmt.Sprintf("%s, %s", c.name, kind)
			if only == title {
				c.trace = func(sent bool, frame []byte) { t.Logf("%s %5v % x", clockText(time.Now()), sent, frame) }
			}
			if strings.Contains(title, only) {
				total.add(c.inBubble(t, title))
			}
		}
	}
	if left := goleak.Find(before); left != nil { // it waits for what is just ending
		total.Left++
		t.Log(left)
	}
	t.Logf("seed %d\n%v", seed, total)
	if total.bad() > 0 {
		t.Errorf("the campaign is lost; CAMPAIGN_SEED=%d with CAMPAIGN_ONLY set to the name of a course repeats it",
			seed)
	}
}

// inBubble plays the course on virtual time.
func (c course) inBubble(t *testing.T, title string) (total score) {
	complaints := 0
	synctest.Test(t, func(t *testing.T) {
		var err error
		total, err = c.play(t.Context(), c.overPipes, func(format string, args ...any) {
			if complaints++; complaints <= 40 {
				t.Logf(format, args...)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if total.bad() > 0 {
			t.Errorf("%s:\n%v", title, total)
		}
	})
	return total
}
