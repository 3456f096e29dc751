package link

import "encoding/hex"

// An ASCII frame is a colon, two hexadecimal digits for each byte, and an end; the last byte is the checksum LRC.
// Source: MODBUS over Serial Line V1.02, 2.5.2.
const (
	asciiMark  = ':'
	asciiLeast = 2 + 2 + 2                   // unit id, function code, LRC
	asciiMost  = 2 * (1 + 253 + 1)           // unit id, PDU, LRC
	asciiFull  = 1 + asciiMost + len("\r\n") // 513 characters
)

// lrc is what makes the sum of all bytes of a frame 0: of the bytes, not of the characters (pyhys/minimalmodbus #125,
// ciaa/firmware_v1 #67). Source: MODBUS over Serial Line V1.02, 6.2.1.
func lrc(b []byte) (sum byte) {
	for _, c := range b {
		sum -= c
	}
	return sum
}

// asciiFrame wraps what an RTU frame has between its ends. The digits are in upper case, as the standard wants them.
func asciiFrame(adu []byte) []byte {
	body := adu[:len(adu)-2]
	text := make([]byte, 0, asciiFull)
	text = append(text, asciiMark)
	for _, c := range append(body[:len(body):len(body)], lrc(body)) {
		text = append(text, upper[c>>4], upper[c&15])
	}
	return append(text, "\r\n"...)
}

const upper = "0123456789ABCDEF"

// asciiText finds frames in characters. A frame ends with CR LF, but some devices send one of them only
// (TG9541/stm8ef-modbus #7). A colon always begins one, whatever is in front of it.
type asciiText struct {
	open   bool   // behind a colon
	digits []byte // that came behind it
}

// begun reports whether a frame has begun and not ended.
func (t *asciiText) begun() bool { return t.open }

// drop gives up the frame that has begun and returns how many characters that were.
func (t *asciiText) drop() (wasted int) {
	if t.open {
		wasted = 1 + len(t.digits)
	}
	t.open, t.digits = false, t.digits[:0]
	return wasted
}

// add takes the next character. It returns the frame that ends with it, as RTU has it, and how many characters are of
// no frame. A frame with a wrong LRC has a wrong checksum as RTU, too.
func (t *asciiText) add(c byte) (frame []byte, wasted int) {
	switch end := c == '\r' || c == '\n'; {
	case c == asciiMark:
		wasted = t.drop()
		t.open = true
	case end && !t.open:
	case end && len(t.digits) >= asciiLeast && len(t.digits)%2 == 0:
		frame = t.frame()
		t.drop()
	case end || !t.open || !isHex(c) || len(t.digits) == asciiMost:
		wasted = t.drop() + 1
	default:
		t.digits = append(t.digits, c)
	}
	return frame, wasted
}

func (t *asciiText) frame() []byte {
	body := make([]byte, len(t.digits)/2, len(t.digits)/2+1)
	_, _ = hex.Decode(body, t.digits) // they are digits
	sum, body := body[len(body)-1], body[:len(body)-1]
	crc := crc16(body)
	if sum != lrc(body) {
		crc = ^crc
	}
	return append(body, byte(crc), byte(crc>>8))
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' || 'a' <= c && c <= 'f'
}
