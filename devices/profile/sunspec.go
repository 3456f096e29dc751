package profile

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"solarhub/protocol"
)

// SunSpec says where a family may hold the models of SunSpec.
type SunSpec struct {
	Bases []uint16 // where "SunS" may stand, in the order in which to look
}

// ChainTrait is the name of the trait that holds the models of a SunSpec device, as Chain.String writes them.
const ChainTrait = "sunspec"

// Place is an address in a model of SunSpec: the offset from the model's id, in the first of the models that the
// device has.
type Place struct {
	Models []int
	Offset uint16
}

// Chain are the models of a SunSpec device.
type Chain struct {
	Base   uint16 // of "SunS"
	Models []Model
}

// Model is one model of a chain.
type Model struct {
	ID     int
	Addr   uint16 // of the model's id, which its length follows
	Length uint16 // behind these two
}

// maxModels is how many models a chain can have. The longest known has about 30.
const maxModels = 100

// String returns the chain as ParseChain reads it: "40000 1:66 103:50".
func (c Chain) String() string {
	texts := []string{strconv.Itoa(int(c.Base))}
	for _, m := range c.Models {
		texts = append(texts, fmt.Sprintf("%d:%d", m.ID, m.Length))
	}
	return strings.Join(texts, " ")
}

// ParseChain reads what String writes.
func ParseChain(text string) (Chain, error) {
	texts := strings.Fields(text)
	if len(texts) == 0 || len(texts) > maxModels {
		return Chain{}, fmt.Errorf("sunspec %q: a base and at most %d models are wanted", text, maxModels)
	}
	base, err := parseRegister(texts[0])
	chain := Chain{Base: base}
	at := uint32(base) + 2 // behind "SunS"
	for _, one := range texts[1:] {
		id, length, _ := strings.Cut(one, ":")
		n, wrongID := parseRegister(id)
		words, wrongLength := parseRegister(length)
		if err != nil || wrongID != nil || wrongLength != nil || at+2+uint32(words) > 65536 {
			return Chain{}, fmt.Errorf("sunspec %q: %q is no model and length, or leaves the addresses", text, one)
		}
		chain.Models = append(chain.Models, Model{int(n), uint16(at), words})
		at += 2 + uint32(words)
	}
	return chain, err
}

// find returns the first of the models that the device has.
func (c Chain) find(p Place) (Model, bool) {
	for _, id := range p.Models {
		i := slices.IndexFunc(c.Models, func(m Model) bool { return m.ID == id })
		if i >= 0 {
			return c.Models[i], true
		}
	}
	return Model{}, false
}

// move returns ranges that are given by their offset in the model of a place, as addresses. They are not there if the
// device lacks the models, or if its model is too short.
func (c Chain) move(p Place, ranges []protocol.Range) ([]protocol.Range, bool) {
	m, ok := c.find(p)
	if !ok {
		return nil, false
	}
	moved := slices.Clone(ranges)
	for i, r := range moved {
		if r.End() > 2+uint32(m.Length) {
			return nil, false
		}
		moved[i].Addr = m.Addr + r.Addr
	}
	return moved, true
}

// In returns the field at its address in a device with the traits; not present if the device lacks the model.
func (f Field) In(t Traits) Field {
	if f.Place == nil {
		return f
	}
	chain, err := ParseChain(t[ChainTrait])
	ranges, ok := chain.move(*f.Place, f.Ranges)
	if err != nil || !ok {
		return Field{}
	}
	return Field{Ranges: ranges, Spec: f.Spec}
}

// modelTrait is the name of the condition that a device has a model.
func modelTrait(id int) string { return fmt.Sprintf("model %d", id) }

// withModels returns the traits with yes or no for each model that a condition asks for.
func (t Traits) withModels(c Chain, asked []int) {
	for _, id := range asked {
		_, has := c.find(Place{Models: []int{id}})
		t[modelTrait(id)] = yesOrNo(has)
	}
}
