package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"solarhub/plugin/config"
	"solarhub/plugin/doctor"
)

// dumpFlags say what becomes of a dump.
type dumpFlags struct {
	out        string
	withSerial bool
}

func (a *app) dumpCommand() *cobra.Command {
	var config configFlag
	var flags dumpFlags
	command := &cobra.Command{
		Use:   "dump [DEVICE]",
		Short: "Read all registers of a device into a file that the simulator plays",
		Long: `Read every register that SolarHub knows of a device, and print them as lines of table,address,value. The simulator
plays such a file as the device that it came from, so it is the best thing to hand over with a question. DEVICE is
the name in the configuration; it can be left out where there is only one. Nothing is written to the device.

The serial number is made unreadable but for its end, unless --with-serial is given.`,
		Example: `  solarhub dump Roof --out roof.csv
  solarhub simulate powdrive --dump roof.csv`,
		Args: oneArgument,
		RunE: func(command *cobra.Command, args []string) error {
			path, err := config.find()
			if err != nil {
				return err
			}
			return a.dump(command.Context(), path, append(args, "")[0], flags)
		},
	}
	config.register(command.Flags())
	command.Flags().StringVarP(&flags.out, "out", "o", "", "the file to write, in place of the standard output")
	command.Flags().BoolVar(&flags.withSerial, "with-serial", false, "leave the serial number readable")
	return command
}

func (a *app) dump(ctx context.Context, path, device string, flags dumpFlags) error {
	cfg, err := config.Load(path)
	if err != nil {
		a.findings(err)
		return errReported
	}
	log, err := a.logger()
	if err != nil {
		return err
	}
	if log.GetLevel() > zerolog.DebugLevel {
		log = zerolog.Nop()
	}
	told := func(done, of int) {
		if terminal(a.Err) {
			fmt.Fprintf(a.Err, "\r%d of %d requests ", done, of)
		}
	}
	dump, err := doctor.ReadDump(ctx, cfg, device, told, log)
	if terminal(a.Err) {
		fmt.Fprint(a.Err, "\r\x1b[K")
	}
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
