//go:build unix

package cli_test

import (
	"os"
	"strings"
	"testing"

	"solarhub/plugin/cli"
)

// From a token to a configuration that is right; with one that is written in another way, what belongs there is shown.
func TestInitFindsTheDevices(t *testing.T) {
	s := loginHost(t, "1.2.3")
	device, _, _ := start(t, "simulate", "powdrive", "--trait", "lv", "--tcp", "127.0.0.1:0", "--turnaround", "0s")
	at := addresses(t, device)[0]
	head := "host: {url: \"" + s.URL + "\", token: " + goodToken + "}\n"
	for before, after := range map[string]string{
		head: "Written into ./solarhub.yaml: 1 device",
		head + "lines: [{tcp: 127.0.0.1:1, devices: [{profile: chint, id: meter}]}]\n": "This is what belongs there:",
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("solarhub.yaml", []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		p, ended := atTerminal(t, "init")
		p.Reads("Done before: version 1.2.3 is set up")
		if before != head {
			p.Reads("Done before: ./solarhub.yaml has 1 line")
			p.Reads("Search for more devices (yes or no) [no]: ")
			p.Types("maybe")
			p.Reads("neither yes nor no")
			p.Types("y")
		}
		p.Reads("Search where [everywhere]: ")
		p.Types("/no/such/port")
		p.Reads("Search somewhere else (yes or no) [yes]: ")
		p.Types("")
		p.Reads("Search where [everywhere]: ")
		p.Types(at)
		p.Reads("Write 1 device into ./solarhub.yaml")
		p.Types("")
		p.Reads(after)
		p.Reads("Search somewhere else (yes or no) [no]: ")
		p.Types("")
		p.Reads("./solarhub.yaml is right")
		p.Reads("Start SolarHub now")
		p.Types("no")
		p.Reads("next: solarhub run")
		if ended() != cli.ExitOK {
			t.Error(p.Text())
		}
	}
}

// The whole conversation is in TestEndToEndInit, with a real Home Assistant.
func TestInitKeepsWhatIsDone(t *testing.T) {
	s := loginHost(t)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("solarhub.yaml", []byte("# my house\nname: home\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, ended := atTerminal(t, "init")
	for answer, want := range map[string]string{"homeassistant.local": "begins with none of",
		"http://127.0.0.1:1": "connection refused"} {
		p.Reads("Address of Home Assistant")
		p.Types(answer)
		p.Reads(want)
	}
	p.Reads("Address of Home Assistant")
	p.Types(s.URL)
	p.Reads("Address or token: ")
	p.Types("x.y.z")
	p.Reads("refuses the access token")
	p.Reads("Address of Home Assistant [" + s.URL + "]: ")
	p.Types("")
	p.Reads("Address or token: ")
	p.Types(goodToken)
	p.Reads("names Home Assistant and the file with the token")
	p.Reads("Configuration folder [")
	p.Types("no/such/folder")
	p.Reads("not a configuration folder of Home Assistant")
	p.Reads("Configuration folder [")
	p.Presses("\x03")
	p.Reads("solarhub init goes on from there")
	if ended() != cli.ExitFailed {
		t.Error(p.Text())
	}
	holdsToken(t, "token.txt")
	want := "host:\n  url: " + s.URL + "\n  token_file: token.txt\n# my house\nname: home\n"
	if got, err := os.ReadFile("solarhub.yaml"); err != nil || string(got) != want {
		t.Errorf("the configuration is\n%s%v", got, err)
	}
	again, ended := atTerminal(t, "init")
	again.Reads("Done before: ./solarhub.yaml logs in as Ada")
	again.Reads("Configuration folder [")
	again.Presses("\x03")
	ended()
}

func TestInitWithoutATerminal(t *testing.T) {
	code, _, errs := do(t, "init")
	if code != cli.ExitUsage || !strings.Contains(errs, "needs a terminal") {
		t.Errorf("ended with %d: %s", code, errs)
	}
}

func TestInitWithABrokenConfiguration(t *testing.T) {
	broken := file(t, "solarhub.yaml", "host: {\n")
	p, ended := atTerminal(t, "init", "--config", broken)
	if ended() != cli.ExitFailed {
		t.Error(p.Text())
	}
	p.Reads(broken + ":")
}
