package sim

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Frame is what goes out in place of a reply, byte for byte. The zero value is nothing at all.
type Frame struct{ parts [][]piece }

// piece is a run of bytes, or a word that stands for some.
type piece struct {
	bytes []byte
	word  string
}

// frameWords are what a Frame can take from the request and from the right reply to it.
var frameWords = []string{"<tid>", "<len>", "<unit>", "<pdu>", "<reply>", "<crc>"}

// apart puts blanks around the words of a Frame.
var apart = strings.NewReplacer("<", " <", ">", "> ")

// maxFrame bounds a Frame; what is repeated counts as often.
const maxFrame = 4096

// ParseFrame reads bytes in hex, with blanks where one likes them: "<tid> 0000 0004 01 83 02". FF*512 is 512 times FF.
// A bar ends a part, behind which there is a pause. <tid>, <len>, <unit> and <pdu> are what the right reply has: the
// transaction id, the length field, the unit id and the PDU. <reply> is all of it, and <crc> the checksum of what
// precedes it in the same part. An error names what is no hex.
func ParseFrame(text string) (Frame, error) {
	var f Frame
	size := 0
	for part := range strings.SplitSeq(text, "|") {
		var pieces []piece
		for _, field := range strings.Fields(apart.Replace(part)) {
			p, err := parsePiece(field)
			if size += len(p.bytes); err == nil && size > maxFrame {
				err = fmt.Errorf("it has more than %d bytes", maxFrame)
			}
			if err != nil {
				return Frame{}, err
			}
			pieces = append(pieces, p)
		}
		if len(pieces) > 0 {
			f.parts = append(f.parts, pieces)
		}
	}
	return f, nil
}

func parsePiece(field string) (piece, error) {
	for _, word := range frameWords {
		if field == word {
			return piece{word: word}, nil
		}
	}
	digits, times, repeated := strings.Cut(field, "*")
	n := 1
	b, err := hex.DecodeString(digits)
	if err == nil && repeated {
		n, err = strconv.Atoi(times)
	}
	if err != nil || n < 1 || n > maxFrame {
		return piece{}, fmt.Errorf("%q is neither bytes in hex, nor bytes with *times, nor one of %s", field,
			strings.Join(frameWords, " "))
	}
	return piece{bytes: []byte(strings.Repeat(string(b), n))}, nil
}

// fill returns the parts for a request that pdu answers; pdu is nil if the unit is silent.
func (f Frame) fill(framing Framing, req frame, pdu []byte) (parts [][]byte) {
	for _, pieces := range f.parts {
		var b []byte
		for _, p := range pieces {
			switch p.word {
			case "<tid>":
				b = binary.BigEndian.AppendUint16(b, req.transaction)
			case "<unit>":
				b = append(b, byte(req.unit))
			case "<len>":
				b = binary.BigEndian.AppendUint16(b, uint16(1+len(pdu)))
			case "<pdu>":
				b = append(b, pdu...)
			case "<reply>":
				if pdu != nil {
					b = append(b, framing.encode(req.reply(pdu))...)
				}
			case "<crc>":
				b = binary.LittleEndian.AppendUint16(b, checksum(b))
			}
			b = append(b, p.bytes...)
		}
		parts = append(parts, b)
	}
	return parts
}

// raw plans the delivery of a Raw fault.
func (f *Fault) raw(framing Framing, req frame, pdu []byte) delivery {
	d := delivery{delay: f.Delay, parts: f.Frame.fill(framing, req, pdu), pause: f.Pause}
	if f.Close {
		d.ending = closes
	}
	return d
}
