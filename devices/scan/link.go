package scan

import (
	"context"

	"solarhub/protocol"
)

// open opens the line with a setting, if it is not open with it.
func (s *searching) open(ctx context.Context, serial protocol.Serial) (Do, error) {
	if s.link != nil && s.at != serial {
		s.close()
	}
	if s.link == nil {
		s.link, s.at, s.frames = s.Open(serial), serial, protocol.Frames{}
	}
	if _, err := s.link.Open(ctx); err != nil {
		return nil, err
	}
	return over(s.link), nil
}

func (s *searching) close() error {
	if s.link == nil {
		return nil
	}
	if l, ok := s.link.(interface{ Frames() protocol.Frames }); ok {
		s.strange += l.Frames().Foreign
	}
	err := s.link.Close()
	s.link = nil
	return err
}

// over returns what asks over a link, which is opened again where the other end has hung up.
func over(l protocol.Link) Do {
	return func(ctx context.Context, req protocol.Request) (protocol.Response, error) {
		if _, err := l.Open(ctx); err != nil {
			return protocol.Response{}, err
		}
		if err := l.Ready(ctx); err != nil {
			return protocol.Response{}, err
		}
		return l.Exchange(ctx, req)
	}
}

// mostDamages is how often in a row what comes must be damaged until it counts as an answer.
const mostDamages = 2

// isDamaged reports whether something came since it was last asked, and that was no sound frame.
func (s *searching) isDamaged() bool {
	l, ok := s.link.(interface{ Frames() protocol.Frames })
	if !ok {
		return false
	}
	before, now := s.frames, l.Frames()
	s.frames = now
	return now.Damaged > before.Damaged || now.Noise > before.Noise
}
