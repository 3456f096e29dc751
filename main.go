// Command solarhub shows the registers of solar inverters, batteries and meters as native entities of Home Assistant.
package main

import (
	"context"
	_ "embed"
	"os"
	"os/signal"
	"syscall"
	"time"

	"solarhub/plugin/cli"
)

// manifest.json is embedded here because a package cannot embed a file of its parent folder.
//
//go:embed manifest.json
var manifest []byte

// oneSignal is how long after the first signal others are taken for the same one: what ends a process group sends one
// to the process and one to its group.
const oneSignal = 500 * time.Millisecond

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks for an orderly end. From then on a signal does what it does to any process: a second one
	// ends this at once.
	defer context.AfterFunc(ctx, func() { time.AfterFunc(oneSignal, stop) })()
	return cli.Run(ctx, cli.Environment{Manifest: manifest, In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:])
}
