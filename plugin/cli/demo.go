package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"solarhub/protocol/sim"
)

// demoPort is where the page is, unless it is taken.
const demoPort = 8150

// demoFlags are those of demo.
type demoFlags struct {
	day       time.Duration
	fault     string
	seed      uint64
	listen    string
	port      int
	portGiven bool
	data      string
	url       string
	token     tokenFlags
}

func (a *app) demoCommand() *cobra.Command {
	flags := demoFlags{}
	command := &cobra.Command{
		Use:   "demo",
		Short: "Show SolarHub with a simulated house, in your browser",
		Long: `Simulate a house with two inverters and a meter, and show it: a Powdrive on a serial line of 9600
baud, a Senergy and a meter on Modbus TCP, SolarHub between them and a development host, and that
host's page in your browser. What you set on the page is written to a simulated register and read
back; the house obeys it.

It needs no root, no network and no Home Assistant, and leaves nothing behind. On this machine's own address every local
user may use the page without a token. With --host the same house is shown in a real Home Assistant that has the
integration (see: solarhub install).`,
		Example: `  solarhub demo                                   until Ctrl-C
  solarhub demo --day 5m                          a day passes in five minutes
  solarhub demo --fault late=2%:1.2s,drop=1%      a bad serial line
  solarhub demo --host http://homeassistant.local:8123 --token-file token.txt`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			flags.portGiven = command.Flags().Changed("port")
			if err := flags.check(command.Flags().Changed("listen")); err != nil {
				return usage(err)
			}
			return a.demo(command.Context(), flags)
		},
	}
	set := command.Flags()
	set.DurationVar(&flags.day, "day", 24*time.Hour, "how long a day of the house takes, 30s to 24h")
	set.StringVar(&flags.fault, "fault", "",
		"what goes wrong how often on the serial line, such as late=1%:1.2s,exception=2%:6,drop=0.5%")
	set.Uint64Var(&flags.seed, "seed", 1, "the weather and the faults are drawn from it")
	set.StringVar(&flags.listen, "listen", "127.0.0.1",
		"address of the page; if other machines can reach it, it asks for the token that is printed")
	set.IntVar(&flags.port, "port", demoPort,
		"port of the page, 0 for any; if you name none and this one is taken, another one is used")
	set.StringVar(&flags.data, "data", "",
		"keep the values that SolarHub remembers in this folder; the default is a temporary folder that is removed")
	set.StringVar(&flags.url, "host", "", "show the house in the Home Assistant at this address instead")
	flags.token.register(set)
	return command
}

// check returns all that is wrong with the flags.
func (f *demoFlags) check(listenGiven bool) error {
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if f.day < 30*time.Second || f.day > 24*time.Hour {
		say("--day %s is not in 30s..24h", f.day)
	}
	if _, err := sim.ParseFaults(f.fault); err != nil {
		say("--fault: %w", err)
	}
	if f.port < 0 || f.port > 65535 {
		say("--port %d is not in 0..65535", f.port)
	}
	if net.ParseIP(f.listen) == nil && f.listen != "localhost" {
		say("--listen %q is not an IP address; 0.0.0.0 is all of this machine's", f.listen)
	}
	switch {
	case f.url == "" && f.token != tokenFlags{}:
		say("a token belongs to --host")
	case f.url != "" && (f.portGiven || listenGiven):
		say("--port and --listen are for the page, which is not there with --host")
	}
	return errors.Join(wrong...)
}

// demo builds the house and all that shows it, serves until ctx ends, and takes it down again.
func (a *app) demo(ctx context.Context, flags demoFlags) (err error) {
	dir, remove, err := demoFolder(flags.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	d, err := a.newDemo(ctx, flags, dir)
	if err != nil {
		return err
	}
	a.introduceDemo(d)
	return d.run(ctx)
}

// demoFolder makes the folder that the demo may write to, and tells how it ends.
func demoFolder(given string) (dir string, remove func() error, err error) {
	if given != "" {
		dir, err = filepath.Abs(given)
		if err == nil {
			err = os.MkdirAll(dir, 0o700)
		}
		if err != nil {
			return "", nil, fmt.Errorf("--data: %w", err)
		}
		return dir, func() error { return nil }, nil
	}
	if dir, err = os.MkdirTemp("", "solarhub-demo-"); err != nil {
		return "", nil, fmt.Errorf("make a folder for the demo: %w", err)
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}

// demoListener takes the place of the page. Where the usual port is taken and none was asked for, another one does;
// note says so.
func demoListener(flags demoFlags) (l net.Listener, note string, err error) {
	address := net.JoinHostPort(flags.listen, strconv.Itoa(flags.port))
	l, err = net.Listen("tcp", address)
	if err == nil || flags.portGiven || !errors.Is(err, syscall.EADDRINUSE) {
		if err != nil {
			err = fmt.Errorf("open the page at %s: %w", address, err)
		}
		return l, "", err
	}
	if l, err = net.Listen("tcp", net.JoinHostPort(flags.listen, "0")); err != nil {
		return nil, "", fmt.Errorf("open the page at %s: %w", flags.listen, err)
	}
	return l, fmt.Sprintf("port %d is taken, so the page is at another one", flags.port), nil
}
