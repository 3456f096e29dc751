package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	protocol "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience is how long a page may take to show what a test waits for. It is generous: a cold Chromium on a busy machine
// needs ten seconds to draw the first page, every later one takes less than a second.
const patience = 60 * time.Second

// page is a tab of headless Chromium that shows Home Assistant's frontend to its logged-in owner. Its methods end the
// test when something does not appear within patience.
type page struct {
	ctx  context.Context // the tab: chromedp keeps it in a context
	t    *testing.T
	home string
}

// openHome starts Chromium with an empty profile and logs a new person in to the Home Assistant at url. The token must
// be an administrator's: it makes the person, who is removed again when the test ends. The browser cannot use the token
// itself, since the companion tells people from programs by it. Home and browser outlive ctx until the test has ended.
// The test is skipped on a machine without Chromium.
func openHome(ctx context.Context, t *testing.T, url, token string) *page {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], // headless, no first run, no background networking
		chromedp.ExecPath(chromium(t)),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1280, 900),
		chromedp.NoSandbox, // root, as in most containers, has none
		chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true), // downloads from the internet
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("lang", "en"),
	)
	ctx, end := chromedp.NewExecAllocator(context.WithoutCancel(ctx), options...)
	t.Cleanup(end)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	p := &page{ctx: ctx, t: t, home: strings.TrimSuffix(url, "/")}
	script := protocol.AddScriptToEvaluateOnNewDocumentParams{Source: pageScript}
	if _, err := chromedp.Call(ctx, protocol.AddScriptToEvaluateOnNewDocument, script); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	p.do("open "+p.home, chromedp.Navigate(p.home+"/manifest.json")) // any page of that origin, which owns localStorage
	person := p.secretly("log a person in", fmt.Sprintf("logIn(%s)", quote(token)))
	t.Cleanup(func() { p.secretly("remove the person", fmt.Sprintf("logOut(%s, %s)", quote(token), person)) })
	return p
}

// secretly evaluates an expression that holds the token, which no message of a test may show.
func (p *page) secretly(what, js string) (result string) {
	p.t.Helper()
	answer, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]byte](js, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
	return string(answer)
}

// chromium returns the path of the browser, or skips the test.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no chromium, chromium-browser or google-chrome on PATH to look at the frontend with")
	return ""
}

// Goto opens a page by the part of its address after the host, such as "/config/info", and waits until the frontend has
// connected and drawn its frame.
func (p *page) Goto(path string) {
	p.t.Helper()
	p.do("open "+path, chromedp.Navigate(p.home+path))
	p.wait("the frontend at "+path,
		`deep("home-assistant-main") && deep("home-assistant").hass?.connected && `+
			`!document.getElementById("ha-launch-screen")`)
}

// WaitText waits until the page shows a text. A text that is put together from several elements is found in pieces
// only.
func (p *page) WaitText(text string) {
	p.t.Helper()
	p.wait("the text "+quote(text), fmt.Sprintf("deepText().includes(%s)", quote(text)))
}

// Shot writes what the tab shows to a PNG file, and makes the folders it needs. It waits until two pictures in a row
// are the same, so that no transition is caught in the middle, but not longer than two seconds: a caret may blink.
func (p *page) Shot(file string) {
	p.t.Helper()
	var shown, before []byte
	for range 10 {
		var err error
		if shown, err = chromedp.Run(p.ctx, chromedp.CaptureScreenshot()); err != nil {
			p.t.Fatalf("take a screenshot: %v", err)
		}
		if bytes.Equal(shown, before) {
			break
		}
		before = shown
		p.Eval("new Promise((done) => setTimeout(done, 150))", nil)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(file, shown, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// Eval runs a JavaScript expression in the page, waits for its promise, and decodes the JSON of what it gives into out,
// a pointer; out may be nil. The page's own connection to Home Assistant is deep("home-assistant").hass.
func (p *page) Eval(js string, out any) {
	p.t.Helper()
	result, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]byte](js, chromedp.EvalAwaitPromise))
	if err == nil && out != nil {
		err = json.Unmarshal(result, out)
	}
	if err != nil {
		p.t.Fatalf("evaluate %s: %v", js, err)
	}
}

// DeepQuery waits for the first visible element that fits the first selector, within it the first that fits the second,
// and so on, through all shadow roots, and returns its JavaScript expression for Eval and Click.
func (p *page) DeepQuery(selectors ...string) string {
	p.t.Helper()
	list, _ := json.Marshal(selectors)
	js := fmt.Sprintf("deep(...%s)", list)
	p.wait(fmt.Sprintf("an element %q", selectors), js+" !== null")
	return js
}

// Click presses the mouse in the middle of an element, given by the expression that DeepQuery returned.
func (p *page) Click(element string) {
	p.t.Helper()
	p.clickAt(element, 0.5)
}

// clickAt presses the mouse at a fraction of an element's width.
func (p *page) clickAt(element string, fraction float64) {
	p.t.Helper()
	var box struct{ X, Y, Width, Height float64 }
	p.Eval(fmt.Sprintf(`((element) => {
		element.scrollIntoView({ block: "center", behavior: "instant" });
		return element.getBoundingClientRect().toJSON(); // a DOMRect itself is not copied
	})(%s)`, element), &box)
	p.do("click "+element, chromedp.MouseClickXY(box.X+fraction*box.Width, box.Y+box.Height/2))
}

// SetNumber does in the row of an entities card what a person does: it types the value into the box and presses Enter,
// or presses the mouse where the value is on the slider. The language of the page's user must write numbers with a
// point.
func (p *page) SetNumber(entityID string, value float64) {
	p.t.Helper()
	row := fmt.Sprintf("(node) => /-entity-row$/i.test(node.tagName) && node._config?.entity === %s", quote(entityID))
	field := fmt.Sprintf(`deep(%s, "input, ha-slider")`, row)
	p.wait("a box or slider for "+entityID, field+" !== null")
	var slider *struct{ Min, Max float64 }
	p.Eval(fmt.Sprintf("((it) => it.matches('ha-slider') ? { min: it.min, max: it.max } : null)(%s)", field), &slider)
	if slider != nil {
		p.clickAt(fmt.Sprintf(`deep(%s, "ha-slider", "#track")`, row), (value-slider.Min)/(slider.Max-slider.Min))
		return
	}
	p.Click(field)
	p.Eval(field+".select()", nil)
	p.do("type into "+entityID, chromedp.KeyEvent(strconv.FormatFloat(value, 'f', -1, 64)+kb.Enter))
}

// wait asks again and again until a JavaScript condition holds.
func (p *page) wait(what, condition string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		if err == nil && holds {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			p.t.Fatalf("waited %v for %s; the last answer was %t, %v; the page shows:\n%s", patience, what, holds, err,
				p.text())
		}
	}
}

// text is what the page shows, for the message of a test that fails.
func (p *page) text() string {
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("deepText()"))
	if err != nil {
		return err.Error()
	}
	return text
}

func (p *page) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

// quote makes a JavaScript string literal.
func quote(text string) string {
	literal, _ := json.Marshal(text)
	return string(literal)
}

// TestEndToEndPage tries the methods of page on two helpers that it makes and takes away again: what fails here is the
// browser or a frontend whose elements have changed, not SolarHub.
func TestEndToEndPage(t *testing.T) {
	url, token := os.Getenv("HASS_URL"), os.Getenv("HASS_TOKEN")
	if url == "" || token == "" {
		t.Skip("HASS_URL and HASS_TOKEN name no Home Assistant to look at; .ci/README.md says how to get one")
	}
	p := openHome(t.Context(), t, url, token)
	p.Goto("/config/info")
	p.WaitText("Installation method")

	box, slider := p.newHelper("box"), p.newHelper("slider")
	p.newDashboard("page-test", box, slider)
	p.Goto("/page-test/0")
	p.WaitText("Page test slider")
	for _, entityID := range []string{box, slider} {
		for _, value := range []float64{-12.5, 150} {
			p.SetNumber(entityID, value)
			p.wait(fmt.Sprintf("%s at %v", entityID, value),
				fmt.Sprintf(`Number(deep("home-assistant").hass.states[%q].state) === %v`, entityID, value))
		}
	}
	var shown float64
	p.Eval(fmt.Sprintf("Number(%s.value)", p.DeepQuery("hui-entities-card", "input")), &shown)
	if shown != 150 {
		t.Errorf("the box shows %v, want 150", shown)
	}
	file := filepath.Join(t.TempDir(), "shots", "card.png")
	p.Shot(file)
	if info, err := os.Stat(file); err != nil || info.Size() < 1000 {
		t.Errorf("the screenshot is %v, %v; want a picture", info, err)
	}
}

// call sends a message over the page's own connection, as its settings pages do, and decodes the result into out.
func (p *page) call(message map[string]any, out any) {
	p.t.Helper()
	text, err := json.Marshal(message)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Eval(fmt.Sprintf(`deep("home-assistant").hass.callWS(%s).catch((error) => { throw new Error(error.message); })`,
		text), out)
}

// newHelper makes a number of Home Assistant itself for the time of the test and returns its entity id.
func (p *page) newHelper(mode string) string {
	p.t.Helper()
	var made struct{ ID string }
	p.call(map[string]any{"type": "input_number/create", "name": "Page test " + mode, "mode": mode,
		"min": -50, "max": 200, "step": 0.5, "initial": 1}, &made)
	p.t.Cleanup(func() { p.call(map[string]any{"type": "input_number/delete", "input_number_id": made.ID}, nil) })
	return "input_number." + made.ID
}

// newDashboard makes a dashboard with one entities card for the time of the test.
func (p *page) newDashboard(path string, entityIDs ...string) {
	p.t.Helper()
	var made struct{ ID string }
	p.call(map[string]any{"type": "lovelace/dashboards/create", "url_path": path, "title": "Page test"}, &made)
	p.t.Cleanup(func() { p.call(map[string]any{"type": "lovelace/dashboards/delete", "dashboard_id": made.ID}, nil) })
	card := map[string]any{"type": "entities", "entities": entityIDs}
	views := []any{map[string]any{"cards": []any{card}}}
	p.call(map[string]any{"type": "lovelace/config/save", "url_path": path, "config": map[string]any{"views": views}},
		nil)
}
