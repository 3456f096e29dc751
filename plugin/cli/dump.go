package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"solarhub/devices/profile"
	"solarhub/plugin/config"
	"solarhub/plugin/control"
	"solarhub/plugin/doctor"
	"solarhub/protocol"
)

// dumpFlags say what becomes of a dump.
type dumpFlags struct {
	out        string
	withSerial bool
	registers  []string // read besides those that the family has
}

func (a *app) dumpCommand() *cobra.Command {
	var flag configFlag
	var flags dumpFlags
	command := &cobra.Command{
		Use:   "dump [DEVICE]",
		Short: "Read all registers of a device into a file that the simulator plays",
		Long: `Read every register that SolarHub knows of a device, and print each as a line of table,address,value.
The simulator plays such a file as the device that it came from, so it is the best thing to send
along with a question. DEVICE is the name in the configuration; leave it out if there is only one
device. Nothing is written to the device. If SolarHub runs, it is read through it, behind the polls.

With --registers it reads others as well, to find out what a device has that its family lacks, but
none that must never be read, and none of a device that takes harm from it. Look through what comes
of them before you show the file around.

Only the end of the serial number stays readable, unless you give --with-serial.`,
		Example: `  solarhub dump Roof --out roof.csv
  solarhub dump Roof --registers "holding 0..199" --registers "input 3000..3099"
  solarhub simulate powdrive --from roof.csv
  solarhub dump diff before.csv after.csv`,
		Args: oneArgument,
		RunE: func(command *cobra.Command, args []string) error {
			return a.dump(command.Context(), flag, append(args, "")[0], flags)
		},
	}
	flag.register(command.Flags())
	command.Flags().StringVarP(&flags.out, "out", "o", "", "write to this file instead of the standard output")
	command.Flags().StringArrayVar(&flags.registers, "registers", nil,
		`read these as well, such as "holding 0..199"; repeat it for more`)
	command.Flags().BoolVar(&flags.withSerial, "with-serial", false, "keep the whole serial number")
	command.ValidArgsFunction = completeDevice(&flag)
	command.AddCommand(a.dumpDiffCommand())
	return command
}

func (a *app) dump(ctx context.Context, flag configFlag, device string, flags dumpFlags) error {
	var besides []protocol.Range
	for _, text := range flags.registers {
		r, err := profile.ParseHole(text)
		if err != nil {
			return usagef("--registers: %w", err)
		}
		besides = append(besides, r)
	}
	_, cfg, err := a.load(flag)
	if err != nil {
		return err
	}
	dump, err := a.readDump(ctx, cfg, device, besides)
	if err != nil {
		return err
	}
	if !flags.withSerial {
		dump.Redact()
	}
	var text bytes.Buffer
	if err := dump.Write(&text); err != nil {
		return err
	}
	if flags.out == "" {
		_, err = a.Out.Write(text.Bytes())
		return err
	}
	if err := os.WriteFile(flags.out, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("write the dump: %w", err)
	}
	_, err = fmt.Fprintf(a.Out, "%s: %s of %s\n", flags.out, counted(len(dump.Words), "register"), dump.Device)
	return err
}

// readDump reads a device: through the SolarHub that runs if it has the line, else by itself.
func (a *app) readDump(ctx context.Context, cfg config.Config, device string, besides []protocol.Range) (doctor.Dump,
	error) {
	l, d, err := cfg.Device(device)
	if err != nil {
		return doctor.Dump{}, err
	}
	log, err := a.debugLogger()
	if err != nil {
		return doctor.Dump{}, err
	}
	told := func(done, of int) {
		if terminal(a.Err) {
			fmt.Fprintf(a.Err, "\r%d of %d requests ", done, of)
		}
	}
	defer func() {
		if terminal(a.Err) {
			fmt.Fprint(a.Err, "\r\x1b[K")
		}
	}()
	if line := running(ctx, cfg, l.Endpoint()); line != nil {
		return doctor.ReadDumpOver(ctx, line, d, besides, told)
	}
	return doctor.ReadDump(ctx, cfg, device, besides, told, log)
}

// running returns a line of the SolarHub that runs; nil if none has it.
func running(ctx context.Context, cfg config.Config, endpoint string) *control.LineBus {
	c, err := control.Dial(ctx, cfg.Data)
	if err != nil {
		return nil
	}
	program, err := c.Program(ctx)
	if err != nil || !slices.ContainsFunc(program.Lines, func(l control.Line) bool { return l.Endpoint == endpoint }) {
		return nil
	}
	return c.Line(endpoint)
}
