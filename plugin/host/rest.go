package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// domain is the name of the integration within the host.
const domain = "solarhub"

// maxBody is how many bytes of an answer are read. The answers used here have a few hundred.
const maxBody = 1 << 20

// REST is the host's REST API, for setting the integration up.
type REST struct {
	Address Address
	Token   Secret       // of an administrator
	Client  *http.Client // from NewHTTPClient
}

// flow is an answer of the config flow.
type flow struct {
	Type   string `json:"type"`
	FlowID string `json:"flow_id"`
	Reason string `json:"reason"`
	Result struct {
		EntryID string `json:"entry_id"`
		State   string `json:"state"`
	} `json:"result"`
}

// CreateEntry sets the integration up as a person would under Settings > Devices & services. It reports false if it was
// set up already. The integration must have been loaded by a start of the host after it was copied.
func (r REST) CreateEntry(ctx context.Context) (created bool, err error) {
	const path = "/config/config_entries/flow"
	var f flow
	err = r.post(ctx, path, map[string]any{"handler": domain, "show_advanced_options": false}, &f)
	var http404 *HTTPError
	if errors.As(err, &http404) && http404.Status == http.StatusNotFound {
		return false, fmt.Errorf("set up the integration: Home Assistant does not know %s: install its files and "+
			"restart "+
			"Home Assistant first: %w", domain, err)
	}
	if err == nil && f.Type == "form" {
		err = r.post(ctx, path+"/"+f.FlowID, struct{}{}, &f)
	}
	switch {
	case err != nil:
		return false, fmt.Errorf("set up the integration: %w", err)
	case f.Type == "abort" && (f.Reason == "single_instance_allowed" || f.Reason == "already_configured"):
		return false, nil
	case f.Type == "abort":
		return false, fmt.Errorf("set up the integration: Home Assistant refuses: %s", f.Reason)
	case f.Type != "create_entry":
		return false, fmt.Errorf("set up the integration: Home Assistant asks for more than expected (%q): add "+
			"SolarHub under "+
			"Settings > Devices & services by hand", f.Type)
	case f.Result.State != "loaded":
		return true, fmt.Errorf("set up the integration: the entry was made but its state is %q: see the log of "+
			"Home Assistant",
			f.Result.State)
	}
	return true, nil
}

// Restart asks the host to restart and returns when the host has accepted. A connection that closes without an answer
// counts as accepted, because the host may stop before it answers.
func (r REST) Restart(ctx context.Context) error {
	err := r.post(ctx, "/services/homeassistant/restart", struct{}{}, nil)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("restart Home Assistant: %w", err)
	}
	return nil
}

// Running reports whether the host has started and answers this token.
func (r REST) Running(ctx context.Context) (bool, error) {
	var config struct {
		State string `json:"state"`
	}
	if err := r.do(ctx, http.MethodGet, "/config", nil, &config); err != nil {
		return false, err
	}
	return config.State == "RUNNING", nil
}

func (r REST) post(ctx context.Context, path string, body, result any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return r.do(ctx, http.MethodPost, path, text, result)
}

func (r REST) do(ctx context.Context, method, path string, body []byte, result any) error {
	request, err := http.NewRequestWithContext(ctx, method, r.Address.REST(path), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+r.Token.Reveal())
	request.Header.Set("Content-Type", "application/json")
	answer, err := r.Client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxBody))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return statusError(answer.StatusCode, text)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(text, result); err != nil {
		return fmt.Errorf("%s answers with something that is not JSON: is this Home Assistant? %w", r.Address, err)
	}
	return nil
}

// statusError returns the error for a status, with what a person can do about it where that is known.
func statusError(status int, body []byte) error {
	e := &HTTPError{Status: status}
	var answer struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &answer) == nil {
		e.Text = answer.Message
	}
	switch {
	case status == http.StatusUnauthorized:
		return fmt.Errorf("%w: get a new one with solarhub login: %w", ErrAuth, e)
	case status == http.StatusForbidden:
		return fmt.Errorf("the access token belongs to a user who is not an administrator: %w", e)
	case e.Starting():
		return fmt.Errorf("the host is starting, try again in a minute: %w", e)
	}
	return e
}
