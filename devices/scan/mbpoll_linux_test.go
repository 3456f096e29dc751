package scan

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/link"
	"solarhub/protocol/sim"
)

// noted is a link that notes what is asked over it.
type noted struct {
	protocol.Link
	asked *[]protocol.Request
}

func (n noted) Exchange(ctx context.Context, req protocol.Request) (protocol.Response, error) {
	*n.asked = append(*n.asked, req)
	return n.Link.Exchange(ctx, req)
}

// BenchmarkBesideMbpoll searches a line of 9600 baud with two units, and then has mbpoll ask the very same: each unit
// id in the same order, as long, for the same registers. It reports both times and their ratio.
func BenchmarkBesideMbpoll(b *testing.B) {
	mbpoll, err := exec.LookPath("mbpoll")
	if err != nil {
		b.Skip("there is no mbpoll here")
	}
	path := onTerminal(b)
	var ours, theirs time.Duration
	requests := 0
	for b.Loop() {
		var asked []protocol.Request
		all := shipped(b)
		l := Line{Serials: Serials(all), Families: all, Thorough: true, Open: func(s protocol.Serial) protocol.Link {
			return noted{link.NewRTU(link.RTUConfig{Path: path, Serial: s}), &asked}
		}}
		begun := time.Now()
		found, err := l.Search(b.Context())
		ours += time.Since(begun)
		if got := families(found); err != nil || got[1] != "deye" || got[2] != "eastron" {
			b.Fatalf("found %v, %v", got, err)
		}
		begun = time.Now()
		replay(b, mbpoll, path, asked)
		theirs += time.Since(begun)
		requests += len(asked)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ours.Seconds()/float64(b.N), "scan-s")
	b.ReportMetric(theirs.Seconds()/float64(b.N), "mbpoll-s")
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "ratio")
	b.ReportMetric(float64(requests)/float64(b.N), "requests")
}

// onTerminal serves two units on a terminal that is paced to 9600 baud.
func onTerminal(b *testing.B) (path string) {
	path = filepath.Join(b.TempDir(), "tty")
	terminal, err := sim.OpenPTY(path)
	if err != nil {
		b.Fatal(err)
	}
	serial := protocol.DefaultSerial
	line := sim.NewLine(sim.Options{Serial: &serial}, simulated(b, "deye", 1), simulated(b, "eastron", 2))
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = line.ServePTY(ctx, terminal, sim.RTU) })
	b.Cleanup(func() {
		cancel()
		serving.Wait()
	})
	return path
}

// replay has mbpoll ask the same; unit ids in a row that are asked alike in one call, as a person would.
func replay(b *testing.B, mbpoll, path string, asked []protocol.Request) {
	for i := 0; i < len(asked); {
		r := asked[i]
		var ids []string
		for ; i < len(asked) && asked[i].Range == r.Range && asked[i].Pace.Timeout == r.Pace.Timeout; i++ {
			ids = append(ids, fmt.Sprint(asked[i].Unit))
		}
		table := "4:hex"
		if r.Range.Table == protocol.InputRegister {
			table = "3:hex"
		}
		_ = exec.Command(mbpoll, "-m", "rtu", "-b", "9600", "-P", "none", "-1", "-0", "-t", table, "-a",
			strings.Join(ids, ","), "-r", fmt.Sprint(r.Range.Addr), "-c", fmt.Sprint(r.Range.Count), "-o",
			fmt.Sprintf("%.2f", r.Pace.Timeout.Seconds()), path).Run() // it fails where nobody answers
	}
}
