package profile

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"sync"

	"solarhub/devices/profile/strict"
)

// Quantity is one thing that an owner knows about a device, such as the state of charge of the battery. It has the
// same key, name, unit and sign in every profile. A numbered quantity has {n} in its key, and in its name or part.
type Quantity struct {
	Key      string // "pv_{n}_voltage"
	Name     string // "Input {n} voltage": in sentence case, without the name of the part
	Part     string // "battery_{n}", or empty for the device itself
	PartName string // "Battery {n}"

	Form        string // number, bool, time, button; text for options, bits and texts alike; any
	Unit        string
	DeviceClass string // the host's word
	StateClass  string // of a number that is read only: measurement, total, total_increasing, or empty
	Precision   int    // the most decimals to show; -1: as many as the register has
	Range       Span   // plausible values; the zero Span: not known
	Sign        string // when it is positive: "positive while discharging". Empty: there is no question
	Category    string // "", diagnostic, or config: a setting, which is diagnostic where it cannot be written
	Icon        string // mdi:..., or empty
	Interval    Interval
	Shown       int // on at first up to this n; 0: off
	Spare       int // of those that are on where a device has few others: its place among them, from 1; otherwise 0
}

// Numbered reports whether there can be several of the quantity in one device.
func (q Quantity) Numbered() bool { return strings.Contains(q.Key, "{n}") }

// At returns the quantity with n in the place of {n}: "Input 2 voltage".
func (q Quantity) At(n string) Quantity {
	for _, text := range []*string{&q.Key, &q.Name, &q.Part, &q.PartName} {
		*text = strings.ReplaceAll(*text, "{n}", n)
	}
	return q
}

// everyNumber is Quantity.Shown of a quantity that is on at first whatever its number is.
const everyNumber = 1000

// vocabularyFile is the vocabulary of the program.
//
//go:embed quantities.yaml
var vocabularyFile []byte

// vocabulary holds all quantities.
type vocabulary struct {
	list  []Quantity // in the order of the file, which is the order for people
	byKey map[string]int
}

// quantityWords reads the vocabulary when somebody first asks for it. A test makes sure that it loads.
var quantityWords = sync.OnceValue(func() vocabulary {
	v, err := loadVocabulary("quantities.yaml", vocabularyFile)
	if err != nil {
		panic(err) // the file is part of the binary
	}
	return v
})

// Quantities returns the vocabulary, in the order in which people like to see it: part by part.
func Quantities() []Quantity { return slices.Clone(quantityWords().list) }

// QuantityOf returns the quantity of a key and its number: QuantityOf("pv_2_voltage") is pv_{n}_voltage and "2". A
// quantity without a number has the number "". QuantityOf("pv_{n}_voltage") finds the quantity itself.
func QuantityOf(key string) (q Quantity, n string, ok bool) {
	v := quantityWords()
	if i, ok := v.byKey[key]; ok {
		return v.list[i], "", true
	}
	at := numberForm.FindStringIndex(key)
	if at == nil {
		return Quantity{}, "", false
	}
	i, ok := v.byKey[key[:at[0]]+"{n}"+key[at[1]:]]
	if !ok {
		return Quantity{}, "", false
	}
	return v.list[i], key[at[0]:at[1]], true
}

// numberForm is a number from 1 to 999 that can stand for {n}.
var numberForm = regexp.MustCompile(`[1-9][0-9]{0,2}`)

// nearestQuantity guesses which quantity somebody misspelt: "; did you mean battery_soc?", or nothing.
func nearestQuantity(key string) string {
	number := numberForm.FindString(key)
	var keys []string
	for _, q := range quantityWords().list {
		if number != "" {
			q = q.At(number)
		}
		keys = append(keys, q.Key)
	}
	if meant := strict.Meant(key, keys); meant != "" {
		return meant
	}
	for _, part := range []string{"battery", "grid", "pv", "load", "inverter"} {
		if k := part + "_" + key; slices.Contains(keys, k) {
			return "; did you mean " + k + "?"
		}
	}
	return ""
}
