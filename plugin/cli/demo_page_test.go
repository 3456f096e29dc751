package cli

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"solarhub/protocol"
)

// show is a demo that runs, whose parts a test may stop and start.
type show struct {
	*demoRun
	t           testing.TB
	lines, host *part
	stopPlugin  func()
	end         func() // of all of it
}

// startDemo runs a demo until the test ends.
func startDemo(t testing.TB, flags demoFlags) *show {
	t.Helper()
	manifest, err := os.ReadFile(filepath.Join("..", "..", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	a := &app{Environment: Environment{Manifest: manifest, Out: io.Discard, Err: io.Discard},
		logging: logging{level: "error", format: "json"}}
	if err := json.Unmarshal(manifest, &a.manifest); err != nil {
		t.Fatal(err)
	}
	flags.listen, flags.portGiven, flags.seed = "127.0.0.1", true, 1
	if flags.day == 0 {
		flags.day = 24 * time.Hour
	}
	d, err := a.newDemo(t.Context(), flags, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &show{demoRun: d, t: t, lines: newPart(t.Context(), func() {}), host: newPart(t.Context(), func() {})}
	for _, l := range d.house.Lines {
		s.lines.start(l.Serve)
	}
	s.host.start(d.serveHost)
	s.startPlugin()
	s.end = sync.OnceFunc(func() {
		if s.stopPlugin != nil {
			s.stopPlugin()
		}
		for _, part := range []*part{s.host, s.lines} {
			if err := part.end(); err != nil {
				t.Error(err)
			}
		}
	})
	t.Cleanup(s.end)
	return s
}

func (s *show) startPlugin() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.runPlugin(ctx) }()
	s.stopPlugin = func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
		s.stopPlugin = nil
	}
}

// held returns the register of a point as the simulated device holds it.
func (s *show) held(line int, key string) uint16 {
	s.t.Helper()
	for _, p := range s.house.Lines[line].Devices[0].Points {
		if p.Key == key {
			words, _ := s.house.Lines[line].Devices[0].Unit.Get(p.Ranges[0].Table, p.Ranges[0].Addr, 1)
			return words[0]
		}
	}
	s.t.Fatalf("there is no point %s", key)
	return 0
}

func (s *show) at(line int, key string) protocol.Range {
	for _, p := range s.house.Lines[line].Devices[0].Points {
		if p.Key == key {
			return p.Ranges[0]
		}
	}
	s.t.Fatalf("there is no point %s", key)
	return protocol.Range{}
}

const (
	chargeCurrent = "number.house_battery_charge_current_limit"
	shutdown      = "number.house_battery_shutdown_level"
	chargeLevel   = "number.garage_battery_grid_charge_stop_level"
	workMode      = "select.house_work_mode"
)

// live waits until the page shows values of all three devices.
func (p *tab) live() {
	p.T.Helper()
	p.Wait("live values",
		`document.querySelector(".diagram") && /kW|W/.test(document.querySelector(".sentence").textContent) && `+
			`!/Waiting/.test(document.querySelector(".sentence").textContent)`)
}

func TestPageSetsAndRefuses(t *testing.T) {
	s := startDemo(t, demoFlags{})
	p := openTab(t, s.url+"/", 1280, 900)
	p.live()
	p.open("devices")
	p.Wait("the settings", row(chargeCurrent))
	p.Eval(`document.querySelector(".skip").click()`, nil)
	p.Wait("the content of the same view", `document.activeElement.id === "view" && location.hash === "#/devices"`)
	p.enter(chargeCurrent, "35")
	if sentence := p.outcome(chargeCurrent, "confirmed"); !strings.HasPrefix(sentence, "confirmed in ") {
		t.Errorf("the outcome is %q", sentence)
	}
	if held := s.held(0, "battery_charge_current_max"); held != 35 {
		t.Errorf("the register holds %d", held)
	}
	p.enter(chargeLevel, "42")
	p.outcome(chargeLevel, "confirmed")
	p.Eval(`((list) => { list.value = "Selling first"; list.dispatchEvent(new Event("change")); })(`+row(workMode)+
		`.querySelector("select"))`, nil)
	p.outcome(workMode, "confirmed")
	if held := s.held(0, "work_mode"); held != 0 {
		t.Errorf("the work mode is %d", held)
	}

	p.enter(chargeCurrent, "a lot")
	if sentence := p.outcome(chargeCurrent, "failed"); !strings.Contains(sentence, "a number") {
		t.Errorf("the refusal is %q", sentence)
	}
	p.enter(chargeCurrent, "36,0") // as half of Europe types it
	p.outcome(chargeCurrent, "confirmed")
	p.Eval(row(shutdown)+`.querySelector("[type=range]").focus()`, nil)
	p.Do("press arrows", chromedp.KeyEvent(kb.ArrowRight+kb.ArrowRight+kb.ArrowRight))
	p.Wait("one write for three arrows", `/18/.test(`+row(shutdown)+`.querySelector("input[inputmode]").value)`)
	p.outcome(shutdown, "confirmed")
	p.enter(chargeCurrent, "500") // Home Assistant itself refuses it
	if sentence := p.outcome(chargeCurrent, "failed"); !strings.Contains(sentence, "500") ||
		!strings.Contains(sentence, "350") {
		t.Errorf("the refusal is %q", sentence)
	}
	s.house.Lines[1].Devices[0].Unit.ReadOnly(s.at(1, "battery_grid_charge_soc"), 3)
	p.enter(chargeLevel, "39") // the device refuses it
	if sentence := p.outcome(chargeLevel, "failed"); !strings.Contains(sentence, "illegal data value") {
		t.Errorf("the refusal is %q", sentence)
	}
	var shown string
	p.Eval(row(chargeLevel)+".querySelector('input[inputmode]').value", &shown)
	if held := s.held(1, "battery_grid_charge_soc"); held != 42 {
		t.Errorf("after a refusal the register holds %d", held)
	}
	p.Shot("failed")
	p.untroubled()
}

func TestPageSurvivesRestarts(t *testing.T) {
	t.Parallel()
	s := startDemo(t, demoFlags{})
	p := openTab(t, s.url+"/#/devices", 1280, 900)
	p.Wait("the settings", row(chargeLevel))
	s.stopPlugin()
	p.enter(chargeLevel, "42") // Home Assistant's own action would say that all is well
	if sentence := p.outcome(chargeLevel, "failed"); !strings.Contains(sentence, "not connected") {
		t.Errorf("without the plugin a set-value fails with %q", sentence)
	}
	s.startPlugin()
	p.Wait("values after a restart of the plugin",
		row(chargeLevel)+`.querySelector("input:enabled") && document.querySelectorAll(".device.gone").length === 0`)
	p.enter(chargeLevel, "43")
	p.outcome(chargeLevel, "confirmed")

	s.closeHost()
	p.Wait("the loss", `document.getElementById("state").dataset.state === "connecting"`)
	s.openHost()
	p.Wait("the return", `document.getElementById("state").dataset.state === "ready"`)
	ready, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.demoRun.host.Load().WaitReady(ready, "demo"); err != nil {
		t.Fatal(err)
	}
	p.Wait("values after a restart of the host",
		row(chargeLevel)+`.querySelector("input:enabled") && document.querySelectorAll(".device.gone").length === 0`)
	p.enter(chargeLevel, "44")
	p.outcome(chargeLevel, "confirmed")
	s.stopPlugin()
	s.house.Lines[1].Sim.Off()
	s.startPlugin()
	p.Wait("a value of before, with its age",
		`/as of \d\d:\d\d/.test(`+row(chargeLevel)+`.textContent)`)
	p.Shot("cached")
	p.Wait("that the device is away, and why",
		`/unavailable since .*no answer/.test(document.querySelector(".device.gone .status")?.textContent)`)
	p.Eval("scrollTo(0, 0)", nil)
	p.Shot("away")
	if held := s.held(1, "battery_grid_charge_soc"); held != 44 {
		t.Errorf("the register holds %d", held)
	}
	p.untroubled()
}

// A time is set once when it has been typed, not with each digit.
func TestPageSetsATimeOnce(t *testing.T) {
	s := startDemo(t, demoFlags{})
	p := openTab(t, s.url+"/#/devices", 1280, 900)
	const time = `document.querySelector(".device [data-entity^='time.house'] input:enabled")`
	p.Wait("a time that can be set", time)
	writes := s.house.Lines[0].Sim.Journal().Counts().Writes
	p.Eval(time+".focus()", nil)
	p.Do("type a time", chromedp.KeyEvent("0945AM"+kb.Enter))
	p.Wait("the time in the box", time+`.value === "09:45"`)
	p.Wait("the confirmation", time+`.closest(".row").dataset.outcome === "confirmed"`)
	p.Eval("document.activeElement.blur()", nil)
	if n := s.house.Lines[0].Sim.Journal().Counts().Writes - writes; n != 1 {
		t.Errorf("typing a time made %d writes", n)
	}
	p.untroubled()
}

// TestPageMakesAnAutomation makes one as a person does, and sees it act.
func TestPageMakesAnAutomation(t *testing.T) {
	s := startDemo(t, demoFlags{})
	p := openTab(t, s.url+"/#/scenes", 1280, 900)
	for _, setting := range []string{chargeLevel, chargeCurrent} { // of two devices, of which one is known later
		p.Wait("the choice of "+setting,
			`[...document.querySelectorAll(".make select option")].some((o) => o.value === "`+setting+`")`)
	}
	p.Eval(`(() => {
		const form = document.querySelectorAll(".make")[1];
		const [watched, way, target] = form.querySelectorAll("select"), [limit, value] = form.querySelectorAll("input");
		[watched.value, way.value, target.value] = ["`+chargeCurrent+`", "below", "`+chargeLevel+`"];
		[limit.value, value.value] = ["40", "much"];
		form.requestSubmit();
	})()`, nil)
	p.Wait("the refusal",
		`/cannot be set to .much/.test(document.querySelectorAll(".make")[1].querySelector(".problem").textContent)`)
	p.Eval(`(() => {
		const form = document.querySelectorAll(".make")[1];
		form.querySelectorAll("input")[1].value = "45";
		form.requestSubmit();
	})()`, nil)
	p.Wait("the automation in words", `document.querySelector(".item .rule")?.textContent ===
		"When House: Battery charge current limit is below 40 A, " +
		"set Garage: Battery grid charge stop level to 45 %."`)
	p.Shot("automation")
	p.open("devices")
	p.enter(chargeCurrent, "30")
	p.outcome(chargeCurrent, "confirmed")
	p.Wait("what the automation sets", row(chargeLevel)+`.querySelector("input[inputmode]").value === "45"`)
	if held := s.held(1, "battery_grid_charge_soc"); held != 45 {
		t.Errorf("the register holds %d", held)
	}
	p.open("scenes")
	note := `(` + row("automation.rule") + `?.querySelector(".note").textContent)`
	p.Wait("that it ran", `/last ran/.test`+note)
	p.open("devices")
	for _, step := range []struct{ entity, value string }{{chargeLevel, "42"}, {chargeCurrent, "50"}} {
		p.enter(step.entity, step.value)
		p.outcome(step.entity, "confirmed")
	}
	s.house.Lines[1].Devices[0].Unit.ReadOnly(s.at(1, "battery_grid_charge_soc"), 3)
	p.enter(chargeCurrent, "31") // the limit is crossed again
	p.outcome(chargeCurrent, "confirmed")
	p.open("scenes")
	p.Wait("why the automation failed", `/last ran .* and failed: .*illegal data value/.test`+note)
	p.Click(row("automation.rule") + `.querySelector(".quiet")`)
	p.Wait("that it is gone", `/There is none/.test(`+row("automation.rule")+`.textContent)`)
	p.untroubled()
}

// TestPageTellsWhatASceneDidNotWrite applies a scene while one of its devices is away.
func TestPageTellsWhatASceneDidNotWrite(t *testing.T) {
	t.Parallel()
	s := startDemo(t, demoFlags{})
	p := openTab(t, s.url+"/#/devices", 1280, 900)
	p.Wait("the settings", row(chargeLevel)+` && `+row(chargeCurrent))
	p.open("scenes")
	if _, err := s.demoRun.host.Load().Action(t.Context(), "scene", "create",
		map[string]any{"scene_id": "calm", "snapshot_entities": []string{chargeCurrent, chargeLevel}}); err != nil {
		t.Fatal(err)
	}
	s.house.Lines[1].Sim.Off()
	ready, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.demoRun.host.Load().WaitState(ready, chargeLevel, "unavailable"); err != nil {
		t.Fatal(err)
	}
	p.Click(row("scene.calm") + `.querySelector("button.main")`)
	p.Wait("what was not written",
		`document.querySelector(".outcomes [data-outcome=failed] .outcome")?.textContent === "unavailable: not `+
			`written"`)
	p.Wait("what was so already", `document.querySelector(".outcomes [data-outcome=same]")`)
	p.untroubled()
}

// TestPagePictures goes through the page as a person does who looks around, and takes a picture of each view. It fails
// where a view does not come up, or does not fit.
func TestPagePictures(t *testing.T) {
	t.Parallel()
	s := startDemo(t, demoFlags{day: 5 * time.Minute})
	p := openTab(t, s.url+"/", 1280, 900)
	p.live()
	p.open("scenes")
	p.Wait("the settings of the house", `[...document.querySelectorAll(".pick")].some((pick) => `+
		`pick.textContent.includes("House: Window 1 state of charge"))`)
	p.Eval(`(async () => {
		const form = document.querySelector(".make");
		form.querySelector("input[type=text]").value = "Charge at night";
		const wanted = /House: Battery (grid|charge current)|Window 1 (start|state)/;
		for (const pick of form.querySelectorAll(".pick")) {
			if (wanted.test(pick.textContent)) pick.querySelector("input").click();
		}
		form.requestSubmit();
	})()`, nil)
	p.Wait("the scene", row("scene.charge_at_night"))
	p.open("devices")
	p.enter(chargeCurrent, "35")
	p.outcome(chargeCurrent, "confirmed")
	p.Shot("devices")
	p.open("scenes")
	p.Click(row("scene.charge_at_night") + `.querySelector("button.main")`)
	p.Wait("the outcome of the scene",
		`document.querySelector(".outcomes [data-outcome=confirmed]") && document.querySelector(".outcomes `+
			`[data-outcome=same]")`)
	p.Shot("scenes")
	p.open("line")
	p.Wait("exchanges",
		`document.querySelectorAll(".exchanges tbody tr").length > 25 && document.querySelector(".ledger tbody tr")`)
	p.Shot("line")
	p.open("devices")
	s.house.Lines[0].Sim.Off()
	p.enter(chargeCurrent, "60")
	p.Wait("a set-value under way", row(chargeCurrent)+`.dataset.outcome === "pending"`)
	p.Shot("pending")
	s.house.Lines[0].Sim.On()
	// whether the poll before it or the write was lost
	p.Wait("its end", `["confirmed", "failed"].includes(`+row(chargeCurrent)+`.dataset.outcome)`)
	p.open("today")
	p.live()
	p.Wait("a chart", `document.querySelector(".plot .curve.solar").getAttribute("d").length > 100`)
	p.Shot("today")
	p.dark(true)
	p.Shot("today-dark")
	p.open("devices")
	p.Wait("the settings", row(chargeCurrent))
	p.Shot("devices-dark")
	p.Size(1920, 1080, false)
	p.Shot("devices-wide")
	p.dark(false)
	p.open("today")
	p.live()
	p.Shot("today-wide")
	p.open("line")
	p.Wait("exchanges", `document.querySelectorAll(".exchanges tbody tr").length > 25`)
	p.Shot("line-wide")
	p.Size(400, 860, true)
	for _, view := range []string{"today", "devices", "scenes", "line"} {
		p.open(view)
		p.Wait(view, `document.querySelector("#view").textContent.length > 50`)
		var over float64
		p.Eval("new Promise((done) => setTimeout(() => done(document.documentElement.scrollWidth - 400), 400))", &over)
		if over > 0 {
			t.Errorf("%s is %g pixels too wide for a phone", view, over)
		}
		var nameless []string
		p.Eval(`[...document.querySelectorAll("main input, main select, main textarea, main button, main meter")]
			.filter((e) => !e.labels?.length && !e.getAttribute("aria-label") && !e.getAttribute("aria-labelledby"))
			.filter((e) => !e.textContent.trim()).map((e) => e.outerHTML)`, &nameless)
		if len(nameless) > 0 {
			t.Errorf("%s has controls without a name: %s", view, nameless)
		}
		p.Shot("phone-" + view)
	}
	p.open("devices")
	p.Wait("the settings", row(chargeCurrent))
	p.Eval(row(chargeCurrent)+`.scrollIntoView({ block: "start" }), scrollBy(0, -120)`, nil)
	p.Shot("phone-settings")
	p.untroubled()
}
