package profile

import (
	"strings"
	"testing"
)

func TestAFamilyThatIsReadTwiceIsTheSame(t *testing.T) {
	for _, name := range Names() {
		first, err := Get(name)
		if err != nil {
			t.Fatal(err)
		}
		again, err := get(name)
		if err != nil {
			t.Fatal(err)
		}
		if first == again || !first.Same(again) || !again.Same(first) {
			t.Errorf("%s is not the same when it is read again", name)
		}
		limit := 7.0
		own := Overrides{Points: map[string]Override{"x": {Max: &limit}}}
		mine := first.With(own)
		if mine.Same(first) || mine.SameOverrides(first) || !mine.Same(again.With(own)) {
			t.Errorf("%s: what the owner says of a point makes no difference", name)
		}
		if only := first.WriteWith(WriteMultiple); !only.Same(again.WriteWith(WriteMultiple)) {
			t.Errorf("%s: the function of writes", name)
		}
	}
}

func TestAFileThatWasEditedIsAnotherFamily(t *testing.T) {
	load := func(text string) *Profile {
		t.Helper()
		p, err := Load("good.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	before := load(good)
	if !before.Same(load("# a comment\n" + good)) {
		t.Error("a comment makes another family")
	}
	if before.Same(load(strings.Replace(good, "max_registers: 20", "max_registers: 21", 1))) {
		t.Error("another limit of reads makes no difference")
	}
	if before.Same(load(strings.Replace(good, "{lv: 5, hv: 6}", "{lv: 5, hv: 7}", 1))) {
		t.Error("another word of a trait makes no difference")
	}
}
