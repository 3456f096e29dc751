package cli_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"solarhub/devices"
	"solarhub/devices/profile"
	"solarhub/plugin/cli"
)

// TestREADME holds README.md to the program: its configuration is right, its commands exist, its links lead somewhere.
func TestREADME(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	readme := string(data)
	start := regexp.MustCompile(`^# SolarHub\n\n!\[[^]]+\]\(([^)]+)\)\n\n    go run \. demo .*\n    go test ` +
		`\./\.\.\. .*\n`).FindStringSubmatch(readme)
	if start == nil {
		t.Fatal("it does not begin with a picture and the two commands")
	}
	if picture, err := os.Stat("../../" + start[1]); err != nil || picture.Size() > 150_000 {
		t.Errorf("the picture is %v, %v; want at most 150 kB", picture, err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(host:.*?)```").FindStringSubmatch(readme)
	if block == nil {
		t.Fatal("there is no configuration")
	}
	code, out, errs := do(t, "check", "--config", file(t, "solarhub.yaml", block[1]))
	if code != cli.ExitOK || !strings.Contains(out, "Roof inverter: deye") ||
		!strings.Contains(out, "Garage inverter: chint") {
		t.Errorf("check of its configuration ended with %d: %s", code, errs)
	}
	for _, m := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(readme, -1) {
		if _, err := os.Stat("../../" + m[1]); err != nil {
			t.Errorf("a link leads nowhere: %v", err)
		}
	}
	commands := regexp.MustCompile("(?m)(?:^    |`)(?:\\./)?solarhub ([a-z]+)([^`\n#]*)")
	for _, m := range commands.FindAllStringSubmatch(readme, -1) {
		_, help, errs := do(t, m[1], "--help")
		if errs != "" {
			t.Errorf("there is no command %s", m[1])
		}
		for _, flag := range regexp.MustCompile(`--[a-z-]+`).FindAllString(m[2], -1) {
			if !strings.Contains(help, flag+" ") {
				t.Errorf("solarhub %s has no %s", m[1], flag)
			}
		}
	}
}

// TestREADMENamesEntities checks that every entity in README's examples is one that its "Roof inverter" has.
func TestREADMENamesEntities(t *testing.T) {
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	family, err := profile.Get("powdrive")
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for _, traits := range family.Cases() {
		points, err := family.Resolve(traits)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range devices.EntitiesOf("SN", points) {
			name := "Roof inverter " + partName(family, e.Part) + " " + e.Name
			has[e.Platform+"."+strings.Join(regexp.MustCompile(`[a-z0-9]+`).FindAllString(strings.ToLower(name), -1),
				"_")] = true
		}
	}
	named := regexp.MustCompile(`\w+\.roof_inverter_\w+`).FindAllString(string(data), -1)
	if len(named) < 4 {
		t.Errorf("README names only %q", named)
	}
	for _, id := range named {
		if !has[id] {
			t.Errorf("README names %s, which no powdrive has", id)
		}
	}
}

func partName(family *profile.Profile, key string) string {
	for _, part := range family.Parts {
		if part.Key == key {
			return part.Name
		}
	}
	return ""
}
