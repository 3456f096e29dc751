package conformance

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"solarhub/protocol/codec"
)

// numbers are pymodbus' names of our types.
var numbers = map[codec.Type]string{
	codec.U16: "UINT16", codec.S16: "INT16", codec.U32: "UINT32", codec.S32: "INT32",
	codec.U64: "UINT64", codec.S64: "INT64", codec.F32: "FLOAT32", codec.F64: "FLOAT64",
}

// theirOrder returns the words as pymodbus takes them, with its name of their order: it knows no other order of the
// bytes in a word.
func theirOrder(order codec.Order, words []uint16) (string, []uint16) {
	words = slices.Clone(words)
	if order == codec.BADC || order == codec.DCBA {
		for i, w := range words {
			words[i] = w<<8 | w>>8
		}
	}
	if order == codec.CDAB || order == codec.DCBA {
		return "little", words
	}
	return "big", words
}

// converted is what pymodbus makes of words or of a value.
func (p *process) converted(asked map[string]any) (value any, words []uint16) {
	p.t.Helper()
	var said struct {
		Value any
		Words []uint16
		Error string
	}
	p.say(asked)
	if err := json.Unmarshal([]byte(p.hear("{")), &said); err != nil || said.Error != "" {
		p.t.Fatalf("%v: %v %s", asked, err, said.Error)
	}
	return said.Value, said.Words
}

// randomWords are words with a bent to the edges: zeros, ones, the sign, floats that are no numbers.
func randomWords(r *rand.Rand, n int) []uint16 {
	words := make([]uint16, n)
	for i := range words {
		words[i] = []uint16{0, 1, 0xFFFF, 0x8000, 0x7FFF, 0x7FC0, 0x7F80, 0xFF80, 0x7FF0, 0x3DCC, uint16(r.Uint32()),
			uint16(r.Uint32())}[r.IntN(12)]
	}
	return words
}

// same reports whether a value of ours is what pymodbus says; what is no number is no value here.
func same(kind codec.Type, ours codec.Value, theirs any) bool {
	number, ok := theirs.(float64)
	switch {
	case !ok:
		return ours.Kind == codec.KindNone
	case kind == codec.F32 && number != 0 && math.Abs(number) < 0x1p-126: // no device measures it
		return ours.Kind == codec.KindNone
	case kind == codec.F32: // ours is the shortest decimal that says the 32 bits, theirs the longest
		return ours.Kind == codec.KindNumber && float32(ours.Num) == float32(number)
	}
	return ours.Kind == codec.KindNumber && ours.Num == number
}

// Numbers of every type and order mean the same to our codec and to pymodbus, and both make the same words of them.
func TestCodecAsPymodbus(t *testing.T) {
	pair(t, "random registers", "our codec and pymodbus", "words", func(t *testing.T) string {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		p := python(t, "testdata/pymodbus_decode.py")
		p.hear("ready")
		const each = 300
		decoded, encoded := 0, 0
		for kind, name := range numbers {
			for order := codec.ABCD; order <= codec.DCBA; order++ {
				spec := codec.Spec{Type: kind, Order: order}
				for range each {
					words := randomWords(r, spec.Words())
					ours := spec.Decode(words)
					asOrder, asWords := theirOrder(order, words)
					theirs, _ := p.converted(map[string]any{"decode": name, "order": asOrder, "words": asWords})
					if !same(kind, ours, theirs) {
						t.Fatalf("seed %d: %s %v % x: ours %v, pymodbus' %v", seed, name, order, words, ours, theirs)
					}
					decoded++
					if ours.Kind != codec.KindNumber || kind != codec.F64 && math.Abs(ours.Num) > 1<<53 {
						continue // a number here is a float64, which does not hold every 64 bits
					}
					again, err := spec.Encode(ours, nil)
					value := json.RawMessage(strconv.FormatFloat(ours.Num, 'f', -1, 64))
					if kind == codec.F32 || kind == codec.F64 {
						value = json.RawMessage(strconv.FormatFloat(ours.Num, 'e', -1, 64))
					}
					_, made := p.converted(map[string]any{"encode": name, "order": asOrder, "value": value})
					if _, made = theirOrder(order, made); err != nil || !slices.Equal(again, made) {
						t.Fatalf("seed %d: %s %v %v: ours % x, %v, pymodbus' % x", seed, name, order, ours, again, err,
							made)
					}
					encoded++
				}
			}
		}
		return fmt.Sprintf("%d decoded, %d encoded", decoded, encoded)
	})
	pair(t, "random texts", "our codec and pymodbus", "words", func(t *testing.T) string {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		p := python(t, "testdata/pymodbus_decode.py")
		p.hear("ready")
		const texts = 1000
		for range texts {
			text := make([]byte, 1+r.IntN(20))
			for i := range text {
				text[i] = byte('!' + r.IntN('~'-'!'+1))
			}
			spec := codec.Spec{Type: codec.Text, Length: 10, Order: []codec.Order{codec.ABCD, codec.BADC}[r.IntN(2)]}
			words, err := spec.Encode(codec.TextOf(string(text)), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, asWords := theirOrder(spec.Order, words)
			theirs, _ := p.converted(map[string]any{"decode": "STRING", "order": "big", "words": asWords})
			if ours := spec.Decode(words); ours != codec.TextOf(string(text)) || theirs != string(text) {
				t.Fatalf("seed %d: %q: ours %v, pymodbus' %v", seed, text, ours, theirs)
			}
		}
		return fmt.Sprintf("%d encoded and decoded", texts)
	})
}
