package devhost

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// restLimit bounds the body of a request.
const restLimit = 1 << 20

// rest serves the little of the REST API that has no command of the WebSocket: automations are made there.
func (h *Host) rest(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/{$}", h.owner(func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]string{"message": "API running."})
	}))
	const one = "/api/config/automation/config/{id}"
	mux.HandleFunc("GET "+one, h.owner(h.readAutomation))
	mux.HandleFunc("POST "+one, h.owner(h.writeAutomation))
	mux.HandleFunc("DELETE "+one, h.owner(h.removeAutomation))
}

// owner lets only an administrator through.
func (h *Host) owner(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !h.options.Open && (!bearer || !equal(token, h.options.Token)) {
			http.Error(w, "401: Unauthorized", http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

// equal compares secrets without telling by the time it takes where they differ.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // a client that has left
}

func fail(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]string{"message": text})
}

func (h *Host) readAutomation(w http.ResponseWriter, r *http.Request) {
	if config, there := h.automation(r.PathValue("id")); there {
		reply(w, http.StatusOK, config)
		return
	}
	fail(w, http.StatusNotFound, "Resource not found")
}

func (h *Host) writeAutomation(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, restLimit))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, err.Error())
		return
	}
	config, err := parseAutomation(r.PathValue("id"), text)
	if err != nil {
		fail(w, http.StatusBadRequest, "Message malformed: "+err.Error())
		return
	}
	h.keepAutomation(config)
	reply(w, http.StatusOK, map[string]string{"result": "ok"})
}

func (h *Host) removeAutomation(w http.ResponseWriter, r *http.Request) {
	if !h.forgetAutomation(r.PathValue("id")) {
		fail(w, http.StatusBadRequest, "Resource not found")
		return
	}
	reply(w, http.StatusOK, map[string]string{"result": "ok"})
}

// automation, keepAutomation and forgetAutomation hold the mutex, and no answer is written meanwhile: a client may be slow.
func (h *Host) automation(id string) (config Automation, there bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, a := range h.automations {
		if a.ID == id {
			return a.Automation, true
		}
	}
	return config, false
}

func (h *Host) keepAutomation(config Automation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.setAutomation(config)
	h.keep()
	h.notify()
}

func (h *Host) forgetAutomation(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.deleteAutomation(id) {
		return false
	}
	h.keep()
	h.notify()
	return true
}
