package sim

// Happened returns how often each fault has happened, in the order of NewScript.
func (s *Script) Happened() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := make([]int, len(s.faults))
	for i, f := range s.faults {
		n[i] = f.happened
	}
	return n
}
