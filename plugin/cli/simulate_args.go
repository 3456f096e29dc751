package cli

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/pflag"
)

// defaultTCP is where a device answers for which no place is named. The standard's port 502 is open to root only.
const defaultTCP = "127.0.0.1:5020"

// simulated is one device of the command line.
type simulated struct {
	profile    string
	variant    string // empty: the first
	serial     string // empty: made up
	unit       uint8  // 0: as delivered
	pty        string
	tcp        string
	rtuTCP     string
	baud       int           // 0: as delivered on a pty, unpaced on a network
	turnaround time.Duration // negative: typical for the family
	minGap     time.Duration
	deaf       time.Duration
	waking     time.Duration
	most       uint16 // registers of one read; 0: as the standard allows
	silent     bool
	echo       bool
	busy       string // loses or queues; empty: as the others on the line
	fault      string
	dumps      []string
	set        []string // KEY=VALUE
}

// simulateFlags are those of the whole command; they may stand anywhere.
type simulateFlags struct {
	journal string
	seed    uint64
}

func (f *simulateFlags) register(set *pflag.FlagSet) {
	set.StringVar(&f.journal, "journal", f.journal, "append a line of JSON for each write to this file; - is the standard output")
	set.Uint64Var(&f.seed, "seed", f.seed, "what faults are drawn from: the same seed and requests give the same faults")
}

func (s *simulated) register(set *pflag.FlagSet) {
	set.StringVar(&s.pty, "pty", "", "answer RTU on a serial port: a link of this name leads to it")
	set.StringVar(&s.tcp, "tcp", "", "answer Modbus TCP at this address (the default is "+defaultTCP+" if no place is named)")
	set.StringVar(&s.rtuTCP, "rtu-tcp", "", "answer RTU over TCP at this address, as a transparent serial gateway does")
	set.Uint8Var(&s.unit, "unit", 0, "unit id, 1 to 247; 0 is the one the device is delivered with")
	set.IntVar(&s.baud, "baud", 0, "pace of the line; 0 is the device's own on a pty and no pace on a network")
	set.DurationVar(&s.turnaround, "turnaround", -1, "time from a request to its reply; what is typical for the device if it is not given")
	set.Lookup("turnaround").DefValue = "0s" // keeps -1ns out of the help
	set.StringVar(&s.variant, "variant", "", "variant of the device family; the first one if none is named")
	set.StringVar(&s.serial, "serial-number", "", "serial number; SIM and a number if none is given")
	set.StringArrayVar(&s.set, "set", nil, "what it holds at first, as battery_soc_pct=72; may be given often. Keys are listed by: solarhub devices")
	set.DurationVar(&s.minGap, "min-gap", 0, "requests sooner than this behind a reply are not heard; holds for the whole line")
	set.DurationVar(&s.deaf, "deaf", 0, "requests sooner than this behind the opening of a connection are not heard; holds for the whole line")
	set.DurationVar(&s.waking, "waking", 0, "the first reply on a connection comes this much later; holds for the whole line")
	set.BoolVar(&s.echo, "echo", false, "each request comes back first, as from an adapter that hears itself; holds for the whole line")
	set.StringVar(&s.busy, "busy", "", "a request that comes while it answers: queues (it is answered behind; the default) or loses; holds for the whole line")
	set.Uint16Var(&s.most, "max-registers", 0, "longer reads are refused with exception 3; 0 is what the standard allows")
	set.BoolVar(&s.silent, "silent", false, "longer reads and registers that do not exist are not answered instead of refused")
	set.StringVar(&s.fault, "fault", "", "what goes wrong how often, as late=1%:1.2s,exception=2%:6,drop=0.5%; the table above lists all")
	set.StringArrayVar(&s.dumps, "dump", nil, "hold the registers of this file and no others, lines of table,address,value; may be given often")
}

// parseSimulate reads "--seed 7 powdrive --pty /tmp/p senergy --tcp :5020": names of profiles, each with the flags up to the
// next name. everywhere adds the flags that may stand anywhere.
func parseSimulate(args []string, everywhere func(*pflag.FlagSet)) ([]*simulated, error) {
	var devices []*simulated
	set := oneFlagSet("before the first device")
	everywhere(set)
	for {
		err := set.Parse(args)
		if errors.Is(err, pflag.ErrHelp) {
			return nil, err
		}
		if err != nil {
			return nil, usagef("%s: %w", set.Name(), err)
		}
		args = set.Args()
		if len(args) == 0 {
			break
		}
		device := &simulated{profile: args[0]}
		devices = append(devices, device)
		set = oneFlagSet(device.profile)
		everywhere(set)
		device.register(set)
		args = args[1:]
	}
	if len(devices) == 0 {
		return nil, usagef("which device? For example: solarhub simulate powdrive; all are listed by: solarhub devices")
	}
	return devices, nil
}

// oneFlagSet returns a flag set that ends before the next word which is no flag.
func oneFlagSet(name string) *pflag.FlagSet {
	set := pflag.NewFlagSet(name, pflag.ContinueOnError)
	set.SetInterspersed(false)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	return set
}
