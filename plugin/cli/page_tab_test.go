package cli

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"solarhub/plugin/web/webtest"
)

const patience = webtest.Patience

// tab is a tab that shows the demo's page.
type tab struct{ *webtest.Tab }

// openTab opens an address in a new browser.
func openTab(t testing.TB, address string, width, height int) *tab {
	t.Helper()
	p := &tab{webtest.Open(t, width, height, watcher)}
	p.Goto(address)
	return p
}

// watcher notes what goes wrong in the page itself.
const watcher = `window.trouble = [];
	addEventListener("error", (e) => trouble.push(e.message));
	addEventListener("unhandledrejection", (e) => trouble.push(String(e.reason)));
	addEventListener("securitypolicyviolation", (e) => trouble.push(e.violatedDirective + " " + e.blockedURI));`

// untroubled fails the test if something went wrong in the page, or if it asked anything of another place.
func (p *tab) untroubled() {
	p.T.Helper()
	var trouble, elsewhere []string
	p.Eval("window.trouble", &trouble)
	p.Eval(`performance.getEntriesByType("resource").map((r) => r.name).filter((n) => !n.startsWith(location.origin `+
		`+ "/"))`, &elsewhere)
	if len(trouble)+len(elsewhere) > 0 {
		p.T.Errorf("trouble in the page: %q; asked elsewhere: %q", trouble, elsewhere)
	}
}

// dark has the page shown to people who like it dark.
func (p *tab) dark(on bool) {
	p.T.Helper()
	scheme := map[bool]string{true: "dark", false: "light"}[on]
	params := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme",
		Value: scheme}}}
	if _, err := chromedp.Call(p.Ctx, emulation.SetEmulatedMedia, params); err != nil {
		p.T.Fatalf("%s: %v", scheme, err)
	}
}

// open goes to a view.
func (p *tab) open(view string) {
	p.T.Helper()
	p.Eval(fmt.Sprintf("location.hash = %q", "#/"+view), nil)
}

// row is the JavaScript expression of the row of an entity.
func row(entity string) string {
	return fmt.Sprintf("document.querySelector('[data-entity=%q]')", entity)
}

// enter types a value into the box of an entity's row, as a person does, and presses Enter.
func (p *tab) enter(entity, value string) {
	p.T.Helper()
	p.Enter(row(entity)+".querySelector('input:not([type=range])')", value)
}

// outcome waits until a set-value of an entity has ended so and returns its sentence.
func (p *tab) outcome(entity, how string) (sentence string) {
	p.T.Helper()
	p.Wait(entity+" "+how, fmt.Sprintf("%s.dataset.outcome === %q", row(entity), how))
	p.Eval(row(entity)+".querySelector('.outcome').textContent", &sentence)
	return sentence
}
