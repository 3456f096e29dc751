package config

import (
	"encoding/hex"

	"github.com/rs/zerolog"

	"solarhub/protocol"
)

// NewLink returns the link that the settings of the line describe. It opens nothing, and sends nothing that touches
// registers which a family forbids. Every frame is logged in hex if the log takes the level trace.
func (l Line) NewLink(log zerolog.Logger) protocol.Link {
	var trace func(sent bool, frame []byte)
	if log.GetLevel() <= zerolog.TraceLevel && zerolog.GlobalLevel() <= zerolog.TraceLevel {
		trace = func(sent bool, frame []byte) {
			way := "received"
			if sent {
				way = "sent"
			}
			log.Trace().Str(way, hex.EncodeToString(frame)).Msg("Frame")
		}
	}
	never := map[protocol.UnitID][]protocol.Range{}
	for _, d := range l.Devices {
		never[d.Unit] = d.Line.Never
	}
	return ways[l.Transport].open(l, wiring{never: never, trace: trace})
}
