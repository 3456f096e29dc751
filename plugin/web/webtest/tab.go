// Package webtest looks at pages with headless Chromium, for tests.
package webtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Patience is how long a page may take to show what a test waits for. Nothing is judged by how long it took: a cold
// Chromium on a busy machine needs ten seconds to draw the first page.
const Patience = 60 * time.Second

// Tab is a tab of headless Chromium. Its methods end the test when something does not appear within Patience.
type Tab struct {
	T    testing.TB
	Ctx  context.Context // chromedp keeps the tab in a context
	Text string          // JavaScript of the text that the page shows, for the message of a test that fails
}

// Open starts Chromium with an empty profile and a window of a size in pixels. It has a script run in every document
// before anything else. The browser lives until the test has ended. The test is skipped on a machine without Chromium.
func Open(t testing.TB, width, height int, script string) *Tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], // headless, no first run, no background networking
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(width, height),
		chromedp.NoSandbox, // root, as in most containers, has none
		chromedp.DisableGPU, chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("lang", "en"),
	)
	ctx, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	p := &Tab{t, ctx, "document.body.innerText"}
	p.Size(width, height, false)
	add := page.AddScriptToEvaluateOnNewDocumentParams{Source: script}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, add); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return p
}

// chromium returns the path of the browser, or skips the test.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("there is no chromium, chromium-browser or google-chrome on PATH to look at the page with")
	return ""
}

// Do carries out actions of chromedp.
func (p *Tab) Do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.T.Helper()
	if err := chromedp.Do(p.Ctx, actions...); err != nil {
		p.T.Fatalf("%s: %v", what, err)
	}
}

// Goto opens an address.
func (p *Tab) Goto(address string) {
	p.T.Helper()
	p.Do("open "+address, chromedp.Navigate(address))
}

// Size gives the page a size, as that of a phone.
func (p *Tab) Size(width, height int, phone bool) {
	p.T.Helper()
	params := emulation.SetDeviceMetricsOverrideParams{Width: int64(width), Height: int64(height), DeviceScaleFactor: 1,
		Mobile: phone}
	if _, err := chromedp.Call(p.Ctx, emulation.SetDeviceMetricsOverride, params); err != nil {
		p.T.Fatalf("size %d x %d: %v", width, height, err)
	}
}

// Eval runs a JavaScript expression, waits for its promise, and decodes what it gives into out, which may be nil.
func (p *Tab) Eval(js string, out any) {
	p.T.Helper()
	result, err := chromedp.Run(p.Ctx, chromedp.Evaluate[[]byte](js, chromedp.EvalAwaitPromise))
	if err == nil && out != nil {
		err = json.Unmarshal(result, out)
	}
	if err != nil {
		p.T.Fatalf("evaluate %s: %v", js, err)
	}
}

// Wait asks again and again until a JavaScript condition holds.
func (p *Tab) Wait(what, condition string) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.Ctx, Patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		holds, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
		if err == nil && holds {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			text, _ := chromedp.Run(p.Ctx, chromedp.Evaluate[string](p.Text))
			p.T.Fatalf("waited %v for %s, %v; the page shows:\n%s", Patience, what, err, text)
		}
	}
}

// Click presses the mouse in the middle of an element, which is given as a JavaScript expression.
func (p *Tab) Click(element string) {
	p.T.Helper()
	p.Wait(element, element)
	var box struct{ X, Y, Width, Height float64 }
	p.Eval(fmt.Sprintf(`((e) => { e.scrollIntoView({ block: "center", behavior: "instant" }); return `+
		`e.getBoundingClientRect().toJSON(); })(%s)`, element), &box)
	p.Do("click "+element, chromedp.MouseClickXY(box.X+box.Width/2, box.Y+box.Height/2))
}

// Enter types a value into a box, as a person does, and presses Enter.
func (p *Tab) Enter(box, value string) {
	p.T.Helper()
	p.Click(box)
	p.Eval(box+".select()", nil)
	p.Do("type into "+box, chromedp.KeyEvent(value+kb.Enter))
}

// Shot writes what the tab shows to a PNG file in $SOLARHUB_SHOTS, or in a folder of the test. It waits until two
// pictures in a row are the same, so that no transition is caught in the middle, but not longer than two seconds.
func (p *Tab) Shot(name string) {
	p.T.Helper()
	folder := os.Getenv("SOLARHUB_SHOTS")
	if folder == "" {
		folder = p.T.TempDir()
	}
	var shown, before []byte
	for i := 0; i < 10 && (i == 0 || !bytes.Equal(shown, before)); i++ {
		if i > 0 {
			p.Eval("new Promise((done) => setTimeout(done, 150))", nil)
		}
		before = shown
		var err error
		if shown, err = chromedp.Run(p.Ctx, chromedp.CaptureScreenshot()); err != nil {
			p.T.Fatalf("picture %s: %v", name, err)
		}
	}
	err := os.MkdirAll(folder, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), shown, 0o644)
	}
	if err != nil {
		p.T.Fatalf("picture %s: %v", name, err)
	}
}
