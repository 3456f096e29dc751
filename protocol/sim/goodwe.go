package sim

// GoodWe is RTU as the Wi-Fi and LAN modules of GoodWe speak it in datagrams: AA 55 stands in front of each answer.
// Source: marcelblijleven/goodwe (protocol.py).
var GoodWe Framing = goodWeFraming{rtuFraming{manners{name: "goodwe", checked: true, serial: true}}}

type goodWeFraming struct{ rtuFraming }

func (f goodWeFraming) encode(r frame) []byte {
	return append([]byte{0xAA, 0x55}, f.rtuFraming.encode(r)...)
}
