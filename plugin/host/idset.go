package host

// idSet is a set of ids in the order in which they were added. The zero value is empty.
type idSet struct {
	in    map[string]struct{}
	order []string
}

func (s *idSet) len() int { return len(s.in) }

func (s *idSet) add(id string) {
	if _, ok := s.in[id]; ok {
		return
	}
	if s.in == nil {
		s.in = map[string]struct{}{}
	}
	s.in[id] = struct{}{}
	s.order = append(s.order, id)
}

// remove takes id out, also out of the order, so that the order stays as short as the set.
func (s *idSet) remove(id string) {
	if _, ok := s.in[id]; !ok {
		return
	}
	delete(s.in, id)
	for i, o := range s.order {
		if o == id {
			s.order = append(s.order[:i], s.order[i+1:]...)
			return
		}
	}
}

// take removes and returns the first n ids.
func (s *idSet) take(n int) []string {
	n = min(n, len(s.order))
	ids := s.order[:n:n]
	s.order = s.order[n:]
	for _, id := range ids {
		delete(s.in, id)
	}
	if len(s.order) == 0 {
		s.order = nil
	}
	return ids
}
