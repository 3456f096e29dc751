package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// Serve serves HTTP on a listener until ctx ends, and then returns nil. WebSockets are left open: their Host closes
// them.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		IdleTimeout: 2 * time.Minute}
	var joined sync.WaitGroup
	joined.Go(func() {
		<-ctx.Done()
		_ = server.Close() // closing a listener does not fail in a way one could act on
	})
	err := server.Serve(listener)
	cancel()
	joined.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
