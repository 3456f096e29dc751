package sim_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"solarhub/protocol"
	"solarhub/protocol/sim"
	"solarhub/protocol/sim/simtest"
)

// A unit with a register that settles slowly, on a line that loses the reply to the second write.
func Example() {
	unit := sim.NewUnit(1)
	unit.Set(protocol.HoldingRegister, 108, 50)
	unit.Behave(protocol.Range{Addr: 108, Count: 1}, simtest.StoreAfter(time.Hour))

	line := sim.NewLine(sim.Options{Turnaround: time.Millisecond}, unit)
	line.Play(sim.NewScript(1, sim.Fault{
		Kind:  sim.ReplyLost,
		Match: sim.Match{Functions: sim.WriteFunctions, Nth: 2},
	}))

	client, server := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- line.ServeConn(ctx, server, sim.TCP) }()

	write := []byte{0, 1, 0, 0, 0, 6, 1, 6, 0, 108, 0, 60}
	reply := make([]byte, 12)
	client.Write(write)
	client.Read(reply)
	client.Write(write)
	second, err := line.Journal().Wait(ctx, 1, nil)
	cancel()
	words, _ := unit.Get(protocol.HoldingRegister, 108, 1)
	fmt.Println(line.Journal().Since(0)[0], err)
	fmt.Println(second, second.CarriedOut)
	fmt.Println(words, <-served)
	// Output:
	// #1 unit 1 function 6 holding 108+1 <nil>
	// #2 unit 1 function 6 holding 108+1: reply-lost true
	// [50] <nil>
}
