package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of what somebody who asks can take up.
const (
	maxAsked   = 64 << 10        // bytes of a request
	headWithin = 5 * time.Second // for its head
	// endWithin is how long the operations under way may take to end when the program does: an exchange in flight ends
	// with its timeout, up to 30 s.
	endWithin = 35 * time.Second
)

// part is one line of an answer: a part of it, or why there are no more.
type part struct {
	Value any    `json:"value,omitempty"`
	Error *Error `json:"error,omitempty"`
}

// Serve carries out operations for whoever connects, until ctx ends; then it ends those under way, waits for them and
// closes the listeners. A listener that fails is the only error.
func Serve(ctx context.Context, ops Operations, listeners ...net.Listener) error {
	mux := http.NewServeMux()
	for name, op := range ops {
		mux.Handle("POST /"+name, carried(op))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, &Error{Code: CodeAsked, Reason: fmt.Sprintf("there is no operation %s %s; see "+
			"CONTROL.md", r.Method, r.URL.Path)})
	})
	under, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Handler: mux, ReadHeaderTimeout: headWithin,
		BaseContext: func(net.Listener) context.Context { return under }}
	failed := make(chan error, len(listeners))
	var serving sync.WaitGroup
	for _, l := range listeners {
		serving.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("the control socket: %w", err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	ending, end := context.WithTimeout(context.Background(), endWithin)
	defer end()
	if late := server.Shutdown(ending); late != nil {
		err = errors.Join(err, late, server.Close())
	}
	serving.Wait()
	return err
}

// carried makes a handler of an operation. Each part of the answer is a line of JSON that goes out at once. What fails
// before the first is told by the status, too.
func carried(op Operation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAsked))
		if err != nil {
			refuse(w, http.StatusBadRequest, &Error{Code: CodeAsked, Reason: "what is asked cannot be read: " +
				err.Error()})
			return
		}
		sent := false
		err = op(r.Context(), asked, func(v any) error {
			sent = true
			return send(w, part{Value: v})
		})
		switch failure := asError(err); {
		case err == nil && !sent:
			_ = send(w, part{Value: struct{}{}}) // whoever has gone away misses nothing
		case err == nil:
		case sent:
			_ = send(w, part{Error: failure})
		default:
			refuse(w, http.StatusUnprocessableEntity, failure)
		}
	}
}

// refuse answers with an error alone.
func refuse(w http.ResponseWriter, status int, failure *Error) {
	w.Header().Set("Content-Type", jsonLines)
	w.WriteHeader(status)
	_ = send(w, part{Error: failure}) // whoever has gone away misses nothing
}

// jsonLines is the type of an answer: a line of JSON for each part.
const jsonLines = "application/x-ndjson"

func send(w http.ResponseWriter, p part) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", jsonLines)
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}
