package companion

import (
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"solarhub/devices/profile"
)

var update = flag.Bool("update", false, "write the words of the options into en.json anew")

// words are the labels of options: by platform, by quantity or key, by slug.
type words map[string]map[string]map[string]string

// collect returns the words for the options of all families that come with the program, and demands that a slug means
// the same wherever it stands at a quantity.
func collect(t *testing.T) words {
	t.Helper()
	profiles, err := profile.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	found := words{}
	for _, p := range profiles {
		for _, trait := range p.Traits { // what the owner chooses has a select of its own
			for _, c := range trait.Choices {
				found.word(t, p.ID, "select", "choice_"+trait.Name, c.Word, c.Label)
			}
		}
		for _, traits := range p.Cases() {
			points, err := p.Resolve(traits)
			if err != nil {
				t.Fatal(err)
			}
			for _, point := range points {
				found.add(t, p.ID, point)
			}
		}
	}
	return found
}

func (w words) add(t *testing.T, family string, p profile.Point) {
	t.Helper()
	slugs, labels := p.Spec.OptionNames(), p.Spec.OptionLabels()
	if len(slugs) == 0 || slices.Equal(slugs, labels) {
		return
	}
	for i, slug := range slugs {
		w.word(t, family, p.Entity.Platform, strings.ReplaceAll(wordKey(p), "{n}", "n"), slug, labels[i])
	}
}

func (w words) word(t *testing.T, family, platform, key, slug, label string) {
	t.Helper()
	if w[platform] == nil {
		w[platform] = map[string]map[string]string{}
	}
	of := w[platform][key]
	if of == nil {
		of = map[string]string{}
		w[platform][key] = of
	}
	if other := of[slug]; other != "" && other != label {
		t.Errorf("%s: %s is %q for %s, and %q elsewhere", family, slug, label, key, other)
	}
	of[slug] = label
}

// wordKey is what the companion looks an option up by.
func wordKey(p profile.Point) string { return cmp.Or(p.Quantity, p.Key) }

// Every option of the families that come with the program has a word in English, and only those have.
func TestEveryOptionHasAWord(t *testing.T) {
	found := collect(t)
	section := texts{}
	for platform, byKey := range found {
		of := texts{}
		for key, states := range byKey {
			all := texts{}
			for slug, label := range states {
				all[slug] = label
			}
			of[key] = texts{"state": all}
		}
		section[platform] = of
	}
	if *update {
		rewrite(t, section)
	}
	has, _ := translation(t, "en")["entity"].(texts)
	had, want := flat(has), flat(section)
	for path, label := range want {
		if had[path] != label {
			t.Errorf("en.json: entity.%s is %q, wanted is %q (go test -update writes it anew)", path, had[path], label)
		}
	}
	for path := range had {
		if want[path] == "" {
			t.Errorf("en.json has entity.%s, which no family has", path)
		}
	}
}

// rewrite puts the section at the end of en.json, whose other sections are written by hand.
func rewrite(t *testing.T, section texts) {
	t.Helper()
	const file = "solarhub/translations/en.json"
	text, err := json.MarshalIndent(section, "  ", "  ")
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(slurp(t, file), ",\n  \"entity\":")
	head = strings.TrimSuffix(strings.TrimSpace(head), "\n}")
	plain := strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(string(text))
	if err := os.WriteFile(file, []byte(head+",\n  \"entity\": "+plain+"\n}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
