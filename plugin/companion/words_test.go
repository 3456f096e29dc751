package companion

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Home Assistant drops a translation whose placeholders differ from the English ones, shows a bare key where a text is
// missing, and says nothing of either. So everything that must agree is compared here.

type texts = map[string]any

func slurp(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func translation(t *testing.T, language string) texts {
	t.Helper()
	var all texts
	text := slurp(t, filepath.Join("solarhub", "translations", language+".json"))
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// flat returns every text with its path: "exceptions.lost.message".
func flat(all texts) map[string]string {
	found := map[string]string{}
	for key, value := range all {
		switch value := value.(type) {
		case string:
			found[key] = value
		case texts:
			for rest, text := range flat(value) {
				found[key+"."+rest] = text
			}
		}
	}
	return found
}

func names(t *testing.T, pattern, text string) []string {
	t.Helper()
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
		found = append(found, strings.Join(match[1:], "")) // of several groups one matches
	}
	slices.Sort(found)
	return slices.Compact(found)
}

func keys(all any) []string { return slices.Sorted(maps.Keys(all.(texts))) }

// codes returns the table of PROTOCOL.md, section 5, and the codes that the companion makes: code -> placeholders.
func codes(t *testing.T) map[string][]string {
	t.Helper()
	page := slurp(t, filepath.Join("..", "PROTOCOL.md"))
	section := page[strings.Index(page, "## 5."):strings.Index(page, "## 6.")]
	found := map[string][]string{}
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (?:validation|error) \\|([^(|]*)")
	for _, row := range rows.FindAllStringSubmatch(section, -1) {
		found[row[1]] = names(t, "`(\\w+)`", row[2])
	}
	if len(found) < 15 {
		t.Fatalf("only %d codes were found in PROTOCOL.md", len(found))
	}
	found["not_connected"], found["lost"], found["timeout"] = nil, nil, []string{"seconds"}
	return found
}

func TestEveryErrorHasATextWithKnownPlaceholders(t *testing.T) {
	table := codes(t)
	for _, language := range []string{"en", "de"} {
		exceptions := translation(t, language)["exceptions"].(texts)
		for _, key := range names(t, `: "(not_\w+)",`, slurp(t, "solarhub/errors.py")) {
			table[key] = table["wrong_type"]
		}
		if has, wants := keys(exceptions), slices.Sorted(maps.Keys(table)); !slices.Equal(has, wants) {
			t.Errorf("%s has the exceptions\n%q, wanted are\n%q", language, has, wants)
		}
		for path, text := range flat(exceptions) {
			known := append([]string{"name", "reason"}, table[strings.TrimSuffix(path, ".message")]...)
			for _, name := range names(t, `\{(\w+)\}`, text) {
				if !slices.Contains(known, name) {
					t.Errorf("%s, %s: {%s} is none of %q", language, path, name, known)
				}
			}
		}
	}
}

func TestPythonKnowsTheSameErrors(t *testing.T) {
	python := map[string][]string{}
	rows := regexp.MustCompile(`(?m)^    "(\w+)": \((.*)\),$`)
	for _, row := range rows.FindAllStringSubmatch(slurp(t, "solarhub/errors.py"), -1) {
		python[row[1]] = names(t, `"(\w+)"`, row[2])
	}
	table := codes(t)
	for code := range maps.Keys(table) {
		has, there := python[code]
		if !there || !slices.Equal(has, table[code]) {
			t.Errorf("%s has the placeholders %q in errors.py, %q in PROTOCOL.md", code, has, table[code])
		}
	}
	if len(python) != len(table) {
		t.Errorf("errors.py has %d codes, PROTOCOL.md %d", len(python), len(table))
	}
}

// What the plugin says in English stands between quotation marks in another language.
func TestEnglishIsQuoted(t *testing.T) {
	for path, text := range flat(translation(t, "de")["exceptions"].(texts)) {
		for _, english := range []string{"reason", "text"} {
			if strings.Contains(text, "{"+english+"}") && !strings.Contains(text, "„{"+english+"}“") {
				t.Errorf("%s: {%s} is English and is not quoted: %s", path, english, text)
			}
		}
	}
}

func TestLanguagesAgree(t *testing.T) {
	english, german := flat(translation(t, "en")), flat(translation(t, "de"))
	for path := range english { // Home Assistant shows the English word for an option that German has none for
		if german[path] == "" && strings.HasPrefix(path, "entity.") {
			delete(english, path)
		}
	}
	if a, b := slices.Sorted(maps.Keys(english)), slices.Sorted(maps.Keys(german)); !slices.Equal(a, b) {
		t.Fatalf("the keys differ:\n%q\n%q", a, b)
	}
	for path, text := range english {
		if a, b := names(t, `\{(\w+)\}`, text), names(t, `\{(\w+)\}`, german[path]); !slices.Equal(a, b) {
			t.Errorf("%s has the placeholders %q in English, %q in German", path, a, b)
		}
	}
}

func TestServicesAgree(t *testing.T) {
	yaml := map[string][]string{}
	service := ""
	for _, line := range strings.Split(slurp(t, "solarhub/services.yaml"), "\n") {
		name, ok := strings.CutSuffix(strings.TrimRight(line, " "), ":")
		switch {
		case ok && !strings.HasPrefix(name, " "):
			service = name
			yaml[service] = nil
		case ok && strings.HasPrefix(name, "    ") && name[4] != ' ':
			yaml[service] = append(yaml[service], name[4:])
		}
	}
	registered := names(t, `DOMAIN,\s+"(\w+)"`, slurp(t, "solarhub/actions.py"))
	for _, language := range []string{"en", "de"} {
		services := translation(t, language)["services"].(texts)
		if has := keys(services); !slices.Equal(has, registered) || len(yaml) != len(registered) {
			t.Fatalf("registered are %q, described in %s %q, in services.yaml %v", registered, language, has, yaml)
		}
		for name, text := range services {
			slices.Sort(yaml[name])
			if has := keys(text.(texts)["fields"]); !slices.Equal(has, yaml[name]) {
				t.Errorf("%s in %s has the fields %q, in services.yaml %q", name, language, has, yaml[name])
			}
		}
	}
	var icons texts
	if err := json.Unmarshal([]byte(slurp(t, "solarhub/icons.json")), &icons); err != nil {
		t.Fatal(err)
	}
	if has := keys(icons["services"]); !slices.Equal(has, registered) {
		t.Errorf("icons.json has %q, registered are %q", has, registered)
	}
}

func TestOtherKeysThatPythonUsesHaveTexts(t *testing.T) {
	english := translation(t, "en")
	tests := []struct{ files, pattern, path string }{
		{"hello.py notices.py", `(?m)"(\w+_too_old)"|, "(duplicate_installation|cache|counter)", |` +
			`^ +"(unidentified|replaced)": \(|"(reverted|taken_over)": |"(clock_summer_time)"|"(clock)"$`, "issues"},
		{"system_health.py", `(?m)^        "(\w+)":`, "system_health.info"},
	}
	for _, tt := range tests {
		var section any = english
		for part := range strings.SplitSeq(tt.path, ".") {
			section = section.(texts)[part]
		}
		var used []string
		for file := range strings.FieldsSeq(tt.files) {
			used = append(used, names(t, tt.pattern, slurp(t, filepath.Join("solarhub", file)))...)
		}
		slices.Sort(used)
		if has := keys(section); len(used) == 0 || !slices.Equal(has, used) {
			t.Errorf("%s uses %q, %s has %q", tt.files, used, tt.path, has)
		}
	}
}

func TestManifestIsInTheOrderThatHassfestWants(t *testing.T) {
	text := slurp(t, filepath.Join("..", "..", manifest))
	var order []string
	for _, match := range regexp.MustCompile(`(?m)^  "(\w+)":`).FindAllStringSubmatch(text, -1) {
		order = append(order, match[1])
	}
	if len(order) < 3 || order[0] != "domain" || order[1] != "name" || !slices.IsSorted(order[2:]) {
		t.Errorf("the keys are %q; domain and name come first, then the alphabet", order)
	}
	if _, err := Files([]byte(text)); err != nil {
		t.Error(err)
	}
}
