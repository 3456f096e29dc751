package sim

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"solarhub/protocol"
)

// ASCII is a colon, hexadecimal digits and a line end. Source: MODBUS over Serial Line V1.02, 2.5.2.
var ASCII Framing = asciiFraming{manners{name: "ascii", checked: true, serial: true, wire: true}}

type asciiFraming struct{ manners }

// next takes what is between a colon and a line end. A frame that another colon cuts short is noise, and so is one
// whose digits or LRC are wrong. A carriage return alone ends a frame if nothing comes behind it.
func (asciiFraming) next(b []byte, silent bool) (f frame, noise, size int, err error) {
	for {
		begin := bytes.IndexByte(b[noise:], ':')
		if begin < 0 {
			return frame{}, len(b), 0, nil
		}
		noise += begin
		text := b[noise:]
		if again := bytes.IndexByte(text[1:], ':'); again >= 0 && !bytes.ContainsAny(text[:1+again], "\r\n") {
			noise += 1 + again
			continue
		}
		end := bytes.IndexAny(text, "\r\n")
		if end < 0 || text[end] == '\r' && end+1 == len(text) && !silent {
			return frame{}, noise, 0, nil
		}
		size = end + 1
		if text[end] == '\r' && size < len(text) && text[size] == '\n' {
			size++
		}
		if body, ok := decodeASCII(text[1:end]); ok {
			return frame{unit: protocol.UnitID(body[0]), pdu: body[1:], adu: text[:size]}, noise, size, nil
		}
		noise += size
	}
}

// decodeASCII returns the bytes in front of the LRC; ok is false if they are none.
func decodeASCII(digits []byte) (body []byte, ok bool) {
	if len(digits) > 2*(1+mostPDU+1) {
		return nil, false
	}
	body, err := hex.AppendDecode(nil, digits)
	if err != nil || len(body) < 3 || sum8(body) != 0 {
		return nil, false
	}
	return body[:len(body)-1], true
}

func (asciiFraming) encode(r frame) []byte {
	body := append([]byte{byte(r.unit)}, r.pdu...)
	return fmt.Appendf(nil, ":%X%02X\r\n", body, byte(-sum8(body)))
}

// sum8 is the sum of the bytes in 8 bits, which the LRC makes 0. Source: MODBUS over Serial Line V1.02, 6.2.1.
func sum8(b []byte) (sum int8) {
	for _, c := range b {
		sum += int8(c)
	}
	return sum
}
