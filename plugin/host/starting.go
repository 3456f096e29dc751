package host

import (
	"context"
	"errors"
	"fmt"
)

// ErrStarting: the host has not started completely. Its companion may come.
var ErrStarting = errors.New("the host is starting")

// NoCompanionError: the host has started and does not know the solarhub commands.
type NoCompanionError struct {
	SafeMode     bool
	RecoveryMode bool
}

func (e *NoCompanionError) Error() string {
	return fmt.Sprintf("%s is not known (safe mode %t, recovery mode %t)", CommandHello, e.SafeMode, e.RecoveryMode)
}

// explainRefusedHello asks the host whether it is still starting if it does not know hello or has not set the companion
// up. Any other error is returned as it is.
func explainRefusedHello(ctx context.Context, s *Session, err error) error {
	refused, ok := errors.AsType[*CommandError](err)
	if !ok || refused.Code != RefusedUnknownCommand && refused.Code != RefusedEntryNotLoaded {
		return err
	}
	var config struct {
		State        string `json:"state"`
		SafeMode     bool   `json:"safe_mode"`
		RecoveryMode bool   `json:"recovery_mode"`
	}
	failed := s.Do(ctx, "get_config", nil, &config)
	switch {
	case failed != nil && refused.Code == RefusedUnknownCommand:
		return failed
	case failed != nil: // a host that hangs up at once has said why
		return err
	case config.State != "" && config.State != "RUNNING":
		return fmt.Errorf("%w (%s): %w", ErrStarting, config.State, err)
	case refused.Code == RefusedUnknownCommand:
		return &NoCompanionError{SafeMode: config.SafeMode, RecoveryMode: config.RecoveryMode}
	}
	return err
}
