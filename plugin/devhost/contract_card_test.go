package devhost_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// seenByJS is what testdata/client.mjs sees of every host.
const seenByJS = `["connected","2026.11.0"]
["entity",{"min":0,"max":10,"step":0.5,"mode":"auto","friendly_name":"Bench TAG Plain"}]
["config",["RUNNING",true]]
["action answers",["context"]]
["state",["4",true]]
["response",{"value":5,"unit":"W"}]
["refused by the host","service_validation_error"]
["refused by the plugin",["home_assistant_error","no_answer","Bench TAG Limit: Inverter does not answer (holding 5)"]]
["unknown command","unknown_command"]
["events",true]
["restart",null]
["disconnected",false]
["connected again",true]
["the subscription lives","7"]
`

// TestHomeAssistantJS has the npm package home-assistant-js-websocket, which every card and dashboard uses, talk to the
// development host and to a real one. HASS_JS names the folder where it is installed, together with the package ws.
func TestHomeAssistantJS(t *testing.T) {
	modules := os.Getenv("HASS_JS")
	if _, err := exec.LookPath("node"); err != nil || modules == "" {
		t.Skip("needs node, and in HASS_JS a folder with: npm install home-assistant-js-websocket@9.7.0 ws@8.23.0")
	}
	sides := []side{development(t)}
	if core, ok := realCore(t); ok {
		sides = append(sides, core)
	}
	for _, s := range sides {
		t.Run(s.name, func(t *testing.T) { javascript(t, s, modules) })
	}
}

func javascript(t *testing.T, s side, modules string) {
	b := &bench{t: t, side: s, tag: "js" + newTag()}
	defer b.end()
	fail := refuse("no_answer", object{"device": "Inverter", "register": "holding 5", "reason": "silence"})
	plugged := func(p *plug) {
		p.replies(func(call object) object {
			if call["id"] == b.id("limit") {
				return fail(call)
			}
			return confirm(call)
		})
	}
	plugged(b.plug())
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	script := exec.CommandContext(ctx, "node", "testdata/client.mjs", modules, s.url, b.tag)
	script.Env = append(os.Environ(), "TOKEN="+s.token)
	script.Stderr = os.Stderr
	in, err := script.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := script.StdoutPipe()
	if err == nil {
		err = script.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var seen strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		seen.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), `["restart"`) {
			s.restart(t)
			p := b.hello(now())
			plugged(p)
			p.ready()
			_, _ = io.WriteString(in, "go on\n")
		}
	}
	if err := script.Wait(); err != nil {
		t.Errorf("the script ends with %v", err)
	}
	if !sameLines(seen.String(), seenByJS) {
		t.Errorf("seen is not what every host shows:\n%s", difference(seenByJS, seen.String()))
	}
	t.Logf("%s\n%s", s.name, seen.String())
}

// sameLines compares lines of JSON whatever the order of their fields.
func sameLines(a, b string) bool {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		var v, w any
		_ = json.Unmarshal([]byte(x[i]), &v)
		_ = json.Unmarshal([]byte(y[i]), &w)
		if p, q := encodedPlain(v), encodedPlain(w); p != q {
			return false
		}
	}
	return true
}

func encodedPlain(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
