package profile

import (
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"
	"path"
	"reflect"
	"sync"
	"unsafe"
)

// compiled are the shipped profiles as the loader makes them. To read the YAML files takes about thirty times as long,
// and an owner's small computer would do that at each start. A test makes sure that both are equal, and writes these
// files: go test ./devices/profile -run Compiled -update
//
//go:embed compiled
var compiled embed.FS

// errStale says that a compiled profile is of other files than those that are here.
var errStale = errors.New("the profile was compiled from other files")

// readCompiled returns a shipped profile. An error means that somebody changed its files, or the format, since it was
// compiled: they count then.
func readCompiled(id string) (p *Profile, err error) {
	data, err := compiled.ReadFile(path.Join("compiled", id))
	if err != nil {
		return nil, err
	}
	sum, err := checksum(id)
	if err != nil || len(data) < 8 || binary.LittleEndian.Uint32(data) != sum {
		return nil, errors.Join(errStale, err)
	}
	text := 8 + int(binary.LittleEndian.Uint32(data[4:]))
	if text > len(data) {
		return nil, errStale
	}
	defer func() { // a field that was renamed, or has another type
		if wrong := recover(); wrong != nil {
			p, err = nil, fmt.Errorf("%w: %v", errStale, wrong)
		}
	}()
	p = &Profile{}
	d := decompiler{data: data[text:], text: string(data[8:text]), layouts: map[reflect.Type]*layout{}}
	d.value(d.layout(reflect.TypeFor[Profile]()), unsafe.Pointer(p))
	p.cases = sync.OnceValue(p.findCases)
	return p, nil
}

// checksum returns the checksum of the files from which a profile is made.
func checksum(id string) (uint32, error) {
	sum := crc32.ChecksumIEEE(vocabularyFile)
	for depth := 0; id != ""; depth++ {
		data, err := shipped.ReadFile(path.Join("maps", id+".yaml"))
		if err != nil || depth > maxBases {
			return 0, errors.Join(errStale, err)
		}
		sum = crc32.Update(sum, crc32.IEEETable, data)
		id = headWord(data, "base")
	}
	return sum, nil
}

// decompiler reads the form that the test writes. It knows no type: a new field of a profile needs nothing here. A
// struct is a list of the fields that are not zero, or in a slice not as in the struct before, each by its number, with
// its name where it comes for the first time. What many points share, such as their options, is there once.
type decompiler struct {
	data    []byte
	text    string // all texts
	layouts map[reflect.Type]*layout
	shared  []reflect.Value // slices, pointers and maps so far
}

// layout is a type as decompiler needs it.
type layout struct {
	reflect.Type
	kind   reflect.Kind
	elem   *layout // of a slice or pointer
	fields []field // of a struct, by the number that they have in the data
}

// field is a field of a struct: its place, in bytes, and its type.
type field struct {
	offset uintptr
	*layout
}

func (d *decompiler) layout(t reflect.Type) *layout {
	known := d.layouts[t]
	if known == nil {
		known = &layout{Type: t, kind: t.Kind()}
		d.layouts[t] = known
		if known.kind == reflect.Slice || known.kind == reflect.Pointer {
			known.elem = d.layout(t.Elem())
		}
	}
	return known
}

func (d *decompiler) number() uint64 {
	if len(d.data) > 0 && d.data[0] < 0x80 {
		n := d.data[0]
		d.data = d.data[1:]
		return uint64(n)
	}
	n, size := binary.Uvarint(d.data)
	if size <= 0 {
		panic("it ends early")
	}
	d.data = d.data[size:]
	return n
}

func (d *decompiler) string() string {
	at := d.number()
	return d.text[at : at+d.number()]
}

// value reads a value to a place in memory, which the fields that are not exported need.
func (d *decompiler) value(l *layout, at unsafe.Pointer) {
	switch l.kind {
	case reflect.String:
		*(*string)(at) = d.string()
	case reflect.Struct:
		d.structure(l, at)
	case reflect.Bool:
		*(*bool)(at) = d.number() == 1
	case reflect.Uint8:
		*(*uint8)(at) = uint8(d.number())
	case reflect.Uint16:
		*(*uint16)(at) = uint16(d.number())
	case reflect.Uint32:
		*(*uint32)(at) = uint32(d.number())
	case reflect.Uint64:
		*(*uint64)(at) = d.number()
	case reflect.Float64:
		*(*float64)(at) = math.Float64frombits(bits.ReverseBytes64(d.number()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n := d.number()
		reflect.NewAt(l.Type, at).Elem().SetInt(int64(n>>1) ^ -int64(n&1))
	case reflect.Slice, reflect.Pointer, reflect.Map:
		d.reference(l, at)
	default:
		panic(l.String() + " cannot be compiled")
	}
}

func (d *decompiler) structure(l *layout, at unsafe.Pointer) {
	for k := d.number(); k != 0; k = d.number() {
		if int(k) > len(l.fields) {
			f, ok := l.FieldByName(d.string())
			if !ok {
				panic("there is no such field any more")
			}
			l.fields = append(l.fields, field{f.Offset, d.layout(f.Type)})
		}
		f := l.fields[k-1]
		d.value(f.layout, unsafe.Add(at, f.offset))
	}
}

// reference reads a slice, a pointer or a map: 0 is nil, 1 one that follows, and n+2 the n-th that was there before.
func (d *decompiler) reference(l *layout, at unsafe.Pointer) {
	n := d.number()
	v := reflect.NewAt(l.Type, at).Elem()
	switch n {
	case 0:
		v.SetZero()
		return
	case 1:
	default:
		v.Set(d.shared[n-2])
		return
	}
	switch l.kind {
	case reflect.Pointer:
		v.Set(reflect.New(l.elem.Type))
		d.value(l.elem, v.UnsafePointer())
	case reflect.Slice:
		n := int(d.number())
		v.Set(reflect.MakeSlice(l.Type, n, n))
		for i := range n {
			if i > 0 && l.elem.kind == reflect.Struct {
				v.Index(i).Set(v.Index(i - 1))
			}
			d.value(l.elem, unsafe.Add(v.UnsafePointer(), uintptr(i)*l.elem.Size()))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(l.Type))
		for range d.number() {
			key, value := reflect.New(l.Key()), reflect.New(l.Elem())
			d.value(d.layout(l.Key()), key.UnsafePointer())
			d.value(d.layout(l.Elem()), value.UnsafePointer())
			v.SetMapIndex(key.Elem(), value.Elem())
		}
	}
	d.shared = append(d.shared, v)
}
