package cli

import (
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

// patience is how long a page may take to show what a test waits for. Nothing is judged by how long it took.
const patience = 60 * time.Second

// tab is a tab of headless Chromium. Its methods end the test when something does not appear within patience.
type tab struct {
	t   testing.TB
	ctx context.Context // chromedp keeps the tab in a context
}

// openTab opens an address in a new browser. The test is skipped on a machine without Chromium.
func openTab(t testing.TB, address string, width, height int) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(width, height),
		chromedp.NoSandbox, // root, as in most containers, has none
		chromedp.DisableGPU, chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic",
			true), chromedp.Flag("lang", "en"),
	)
	ctx, end := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(end)
	ctx, closeTab := chromedp.NewContext(ctx)
	t.Cleanup(closeTab)
	p := &tab{t, ctx}
	p.size(width, height, false)
	script := page.AddScriptToEvaluateOnNewDocumentParams{Source: watcher}
	if _, err := chromedp.Call(p.ctx, page.AddScriptToEvaluateOnNewDocument, script); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	p.do("open "+address, chromedp.Navigate(address))
	return p
}

// watcher notes what goes wrong in the page itself.
const watcher = `window.trouble = [];
	addEventListener("error", (e) => trouble.push(e.message));
	addEventListener("unhandledrejection", (e) => trouble.push(String(e.reason)));
	addEventListener("securitypolicyviolation", (e) => trouble.push(e.violatedDirective + " " + e.blockedURI));`

// untroubled fails the test if something went wrong in the page, or if it asked anything of another place.
func (p *tab) untroubled() {
	p.t.Helper()
	var trouble, elsewhere []string
	p.eval("window.trouble", &trouble)
	p.eval(`performance.getEntriesByType("resource").map((r) => r.name).filter((n) => !n.startsWith(location.origin `+
		`+ "/"))`, &elsewhere)
	if len(trouble)+len(elsewhere) > 0 {
		p.t.Errorf("trouble in the page: %q; asked elsewhere: %q", trouble, elsewhere)
	}
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

func (p *tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

// size gives the page a size, as that of a phone.
func (p *tab) size(width, height int, phone bool) {
	p.t.Helper()
	params := emulation.SetDeviceMetricsOverrideParams{Width: int64(width), Height: int64(height), DeviceScaleFactor: 1,
		Mobile: phone}
	if _, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, params); err != nil {
		p.t.Fatalf("size %d x %d: %v", width, height, err)
	}
}

// dark has the page shown to people who like it dark.
func (p *tab) dark(on bool) {
	p.t.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[on]
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme",
		Value: scheme}}}
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, params); err != nil {
		p.t.Fatalf("%s: %v", scheme, err)
	}
}

// eval runs a JavaScript expression, waits for its promise, and decodes what it gives into out, which may be nil.
func (p *tab) eval(js string, out any) {
	p.t.Helper()
	result, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]byte](js, chromedp.EvalAwaitPromise))
	if err == nil && out != nil {
		err = json.Unmarshal(result, out)
	}
	if err != nil {
		p.t.Fatalf("evaluate %s: %v", js, err)
	}
}

// wait asks again and again until a JavaScript condition holds.
func (p *tab) wait(what, condition string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
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
			text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.body.innerText"))
			p.t.Fatalf("waited %v for %s, %v; the page shows:\n%s", patience, what, err, text)
		}
	}
}

// open goes to a view.
func (p *tab) open(view string) {
	p.t.Helper()
	p.eval(fmt.Sprintf("location.hash = %q", "#/"+view), nil)
}

// row is the JavaScript expression of the row of an entity.
func row(entity string) string {
	return fmt.Sprintf("document.querySelector('[data-entity=%q]')", entity)
}

// click presses the mouse in the middle of an element.
func (p *tab) click(element string) {
	p.t.Helper()
	p.wait(element, element)
	var box struct{ X, Y, Width, Height float64 }
	p.eval(fmt.Sprintf(`((e) => { e.scrollIntoView({ block: "center", behavior: "instant" }); return `+
		`e.getBoundingClientRect().toJSON(); })(%s)`, element), &box)
	p.do("click "+element, chromedp.MouseClickXY(box.X+box.Width/2, box.Y+box.Height/2))
}

// enter types a value into the box of an entity's row, as a person does, and presses Enter.
func (p *tab) enter(entity, value string) {
	p.t.Helper()
	box := row(entity) + ".querySelector('input:not([type=range])')"
	p.click(box)
	p.eval(box+".select()", nil)
	p.do("type into "+entity, chromedp.KeyEvent(value+kb.Enter))
}

// outcome waits until a set-value of an entity has ended so and returns its sentence.
func (p *tab) outcome(entity, how string) (sentence string) {
	p.t.Helper()
	p.wait(entity+" "+how, fmt.Sprintf("%s.dataset.outcome === %q", row(entity), how))
	p.eval(row(entity)+".querySelector('.outcome').textContent", &sentence)
	return sentence
}

// shot writes what the tab shows to a PNG file in $SOLARHUB_SHOTS, or in a folder of the test; full has it whole,
// however long it is.
func (p *tab) shot(name string) {
	p.t.Helper()
	folder := os.Getenv("SOLARHUB_SHOTS")
	if folder == "" {
		folder = p.t.TempDir()
	}
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644)
	}
	if err != nil {
		p.t.Fatalf("picture %s: %v", name, err)
	}
}
