package main_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"solarhub/plugin/web/webtest"
)

// page is a tab of headless Chromium that shows Home Assistant's frontend to its logged-in owner.
type page struct {
	*webtest.Tab
	home string
}

// openHome starts Chromium and logs a new person in to the Home Assistant at url. The token must be an administrator's:
// it makes the person, who is removed again when the test ends. The browser cannot use the token itself, since the
// companion tells people from programs by it.
func openHome(t *testing.T, url, token string) *page {
	t.Helper()
	p := &page{webtest.Open(t, 1280, 900, pageScript), strings.TrimSuffix(url, "/")}
	p.Text = "deepText()"
	p.Tab.Goto(p.home + "/manifest.json") // any page of that origin, which owns localStorage
	person := p.secretly("log a person in", fmt.Sprintf("logIn(%s)", quote(token)))
	t.Cleanup(func() { p.secretly("remove the person", fmt.Sprintf("logOut(%s, %s)", quote(token), person)) })
	return p
}

// secretly evaluates an expression that holds the token, which no message of a test may show.
func (p *page) secretly(what, js string) (result string) {
	p.T.Helper()
	answer, err := chromedp.Run(p.Ctx, chromedp.Evaluate[[]byte](js, chromedp.EvalAwaitPromise))
	if err != nil {
		p.T.Fatalf("%s: %v", what, err)
	}
	return string(answer)
}

// Goto opens a page by the part of its address after the host, such as "/config/info", and waits until the frontend has
// connected and drawn its frame.
func (p *page) Goto(path string) {
	p.T.Helper()
	p.Tab.Goto(p.home + path)
	p.Wait("the frontend at "+path,
		`deep("home-assistant-main") && deep("home-assistant").hass?.connected && `+
			`!document.getElementById("ha-launch-screen")`)
}

// WaitText waits until the page shows a text. A text that is put together from several elements is found in pieces
// only.
func (p *page) WaitText(text string) {
	p.T.Helper()
	p.Wait("the text "+quote(text), fmt.Sprintf("deepText().includes(%s)", quote(text)))
}

// SetNumber does in the row of an entities card what a person does: it types the value into the box and presses Enter.
// The language of the page's user must write numbers with a point.
func (p *page) SetNumber(entityID string, value float64) {
	p.T.Helper()
	row := fmt.Sprintf("(node) => /-entity-row$/i.test(node.tagName) && node._config?.entity === %s", quote(entityID))
	p.Enter(fmt.Sprintf(`deep(%s, "input")`, row), strconv.FormatFloat(value, 'f', -1, 64))
}

// quote makes a JavaScript string literal.
func quote(text string) string {
	literal, _ := json.Marshal(text)
	return string(literal)
}

// call sends a message over the page's own connection, as its settings pages do, and decodes the result into out.
func (p *page) call(message map[string]any, out any) {
	p.T.Helper()
	text, err := json.Marshal(message)
	if err != nil {
		p.T.Fatal(err)
	}
	p.Eval(fmt.Sprintf(`deep("home-assistant").hass.callWS(%s).catch((error) => { throw new Error(error.message); })`,
		text), out)
}

// newDashboard makes a dashboard for the time of the test, with an entities card for each list of entities.
func (p *page) newDashboard(path string, lists ...[]string) {
	p.T.Helper()
	var made struct{ ID string }
	p.call(map[string]any{"type": "lovelace/dashboards/create", "url_path": path, "title": "Page test"}, &made)
	p.T.Cleanup(func() { p.call(map[string]any{"type": "lovelace/dashboards/delete", "dashboard_id": made.ID}, nil) })
	var cards []any
	for _, list := range lists {
		cards = append(cards, map[string]any{"type": "entities", "entities": list})
	}
	views := []any{map[string]any{"cards": cards}}
	p.call(map[string]any{"type": "lovelace/config/save", "url_path": path, "config": map[string]any{"views": views}},
		nil)
}
