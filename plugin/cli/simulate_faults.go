package cli

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"solarhub/protocol/sim"
)

// faultWords tell what each fault is and what may stand behind its share.
var faultWords = []struct {
	kind           sim.Kind
	argument, what string
}{
	{sim.Drop, "", "the request is lost: not carried out, no reply"},
	{sim.ReplyLost, "", "it is carried out, and the reply is lost"},
	{sim.Late, "delay, 1.2s", "the right reply comes later"},
	{sim.Exception, "code, 6", "it is refused with an exception; 6 is busy"},
	{sim.Truncated, "", "the reply ends in the middle"},
	{sim.Corrupted, "", "one byte of the reply is another"},
	{sim.Foreign, "", "a sound reply to somebody else comes first"},
	{sim.Stray, "", "a few bytes of noise come first"},
	{sim.Garbage, "", "noise comes in place of the reply"},
	{sim.Echo, "", "the request comes back before the reply"},
	{sim.Drip, "delay, 50ms", "each byte of the reply comes by itself"},
	{sim.OtherBaud, "", "nothing is understood, on either side"},
	{sim.WrongUnit, "", "the reply carries the next unit id"},
	{sim.NoUnit, "", "the reply carries unit id 255"},
	{sim.WrongTransaction, "", "the reply carries another transaction id"},
	{sim.WrongLength, "", "the reply has a register less than asked for"},
	{sim.WrongCount, "", "the reply says a length that it has not"},
	{sim.HangUp, "away, 5s", "the line breaks in the middle of the reply"},
	{sim.CloseBefore, "away, 5s", "the connection is closed in place of the reply"},
	{sim.CloseAfter, "away, 5s", "the connection is closed behind the reply"},
}

// faultHelp lists the faults for the help of simulate.
func faultHelp() string {
	t := newTable(nil, "fault", "may name", "what happens")
	for _, f := range faultWords {
		t.AppendRow(table.Row{f.kind, f.argument, f.what})
	}
	var b strings.Builder
	for line := range strings.Lines(t.Render()) {
		b.WriteString("  " + strings.TrimRight(line, " \n") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}
