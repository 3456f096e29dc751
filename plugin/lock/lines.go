package lock

import (
	"errors"
	"fmt"
)

// Set is the locks of the lines that a process has, by endpoint. It belongs to one goroutine.
type Set map[string]*Lock

// Take takes the locks of endpoints that it has not got, or none of them, and returns what it took. The error names the
// line and wraps a *HeldError.
func (s Set) Take(endpoints ...string) (taken []string, err error) {
	for _, endpoint := range endpoints {
		if s[endpoint] != nil {
			continue
		}
		l, err := Line(endpoint)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("line %s: %w", endpoint, err), s.Release(taken...))
		}
		s[endpoint], taken = l, append(taken, endpoint)
	}
	return taken, nil
}

// Release gives the locks of endpoints up.
func (s Set) Release(endpoints ...string) error {
	var failed []error
	for _, endpoint := range endpoints {
		if l := s[endpoint]; l != nil {
			failed = append(failed, l.Release())
			delete(s, endpoint)
		}
	}
	return errors.Join(failed...)
}

// Lines takes the locks of several lines, or of none. The error names the line and wraps a *HeldError.
func Lines(endpoints ...string) (release func() error, err error) {
	s := Set{}
	taken, err := s.Take(endpoints...)
	return func() error { return s.Release(taken...) }, err
}
