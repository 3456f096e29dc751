package profile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestCompiled demands that each compiled profile is the one that its YAML file makes.
func TestCompiled(t *testing.T) {
	for _, id := range Names() {
		p, err := loadShipped(id)
		if err != nil {
			t.Fatal(err)
		}
		p.cases = nil
		if *update {
			sum, err := checksum(id)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path.Join("compiled", id), compile(p, sum), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		got, err := readCompiled(id)
		if err != nil {
			t.Errorf("%s: %v; compile anew: go test ./devices/profile -run Compiled -update", id, err)
			continue
		}
		if got.cases = nil; !reflect.DeepEqual(got, p) {
			t.Errorf("%s is compiled otherwise than its file says: go test ./devices/profile -run Compiled -update", id)
		}
	}
	files, err := compiled.ReadDir("compiled")
	if err != nil || len(files) != len(Names()) {
		t.Errorf("%d compiled profiles of %d: %v", len(files), len(Names()), err)
	}
}

// compiler writes what decompiler reads.
type compiler struct {
	out    bytes.Buffer
	text   strings.Builder
	places map[string]int // of each text
	fields map[reflect.Type][]string
	shared map[string]int // what is shared, by its type and content
}

func compile(p *Profile, sum uint32) []byte {
	c := compiler{places: map[string]int{}, fields: map[reflect.Type][]string{}, shared: map[string]int{}}
	c.value(reflect.ValueOf(*p), reflect.ValueOf(Profile{}))
	all := binary.LittleEndian.AppendUint32(nil, sum)
	all = binary.LittleEndian.AppendUint32(all, uint32(c.text.Len()))
	return append(append(all, c.text.String()...), c.out.Bytes()...)
}

func (c *compiler) number(n uint64) { c.out.Write(binary.AppendUvarint(nil, n)) }

func (c *compiler) string(s string) {
	at, ok := c.places[s]
	if !ok {
		if at = strings.Index(c.text.String(), s); at < 0 {
			at = c.text.Len()
			c.text.WriteString(s)
		}
		c.places[s] = at
	}
	c.number(uint64(at))
	c.number(uint64(len(s)))
}

// value writes a value where base is already.
func (c *compiler) value(v, base reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		c.number(map[bool]uint64{true: 1}[v.Bool()])
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.number(uint64(v.Int()<<1) ^ uint64(v.Int()>>63))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		c.number(v.Uint())
	case reflect.Float64:
		c.number(bits.ReverseBytes64(math.Float64bits(v.Float())))
	case reflect.String:
		c.string(v.String())
	case reflect.Struct:
		c.structure(v, base)
	case reflect.Slice, reflect.Pointer, reflect.Map:
		c.reference(v)
	default:
		panic(v.Type().String() + " cannot be compiled")
	}
}

func (c *compiler) structure(v, base reflect.Value) {
	for i := range v.NumField() {
		if content(v.Field(i)) == content(base.Field(i)) {
			continue
		}
		known, name := c.fields[v.Type()], v.Type().Field(i).Name
		k := slices.Index(known, name)
		if k < 0 {
			k = len(known)
			c.fields[v.Type()] = append(known, name)
			c.number(uint64(k + 1))
			c.string(name)
		} else {
			c.number(uint64(k + 1))
		}
		c.value(v.Field(i), base.Field(i))
	}
	c.number(0)
}

func (c *compiler) reference(v reflect.Value) {
	if v.IsNil() {
		c.number(0)
		return
	}
	key := fmt.Sprintf("%s %s", v.Type(), content(v))
	if n, ok := c.shared[key]; ok {
		c.number(uint64(n + 2))
		return
	}
	c.number(1)
	switch v.Kind() {
	case reflect.Pointer:
		c.value(v.Elem(), reflect.Zero(v.Type().Elem()))
	case reflect.Slice:
		c.number(uint64(v.Len()))
		base := reflect.Zero(v.Type().Elem())
		for i := range v.Len() {
			c.value(v.Index(i), base)
			base = v.Index(i)
		}
	case reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		c.number(uint64(len(keys)))
		for _, k := range keys {
			c.value(k, k)
			c.value(v.MapIndex(k), reflect.Zero(v.Type().Elem()))
		}
	}
	c.shared[key] = len(c.shared)
}

// content returns all that a value holds, as a text.
func content(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		return "&" + content(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			return "nil"
		}
		all := fmt.Sprint("[", v.Len(), ":")
		for i := range v.Len() {
			all += content(v.Index(i)) + ","
		}
		return all + "]"
	case reflect.Struct:
		all := "{"
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				all += fmt.Sprint(i, ":", content(v.Field(i)), ",")
			}
		}
		return all + "}"
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v)
}
