package host

import "time"

// Times are the intervals of a Client. They are parameters so that tests and unusual networks can change them.
type Times struct {
	Handshake time.Duration // from dialling to auth_ok. Defaults to 10 s, what the host itself grants
	Command   time.Duration // from a command to its answer. Defaults to 30 s; thousands of new entities take 2 s
	Ping      time.Duration // between two application pings. Defaults to 10 s
	Pong      time.Duration // from a ping to its answer, else the session is dead. Defaults to 10 s
	Bye       time.Duration // for answers to pending calls and the goodbye at a planned stop. Defaults to 5 s

	First   time.Duration // wait before the first redial; doubles each time. Defaults to 1 s
	Most    time.Duration // the longest wait of that kind. Defaults to 60 s
	Settled time.Duration // ready for so long begins anew with First. Defaults to 30 s

	Starting     time.Duration // HTTP 502 or 503: the host is starting. Defaults to 5 s
	NotLoaded    time.Duration // the companion has no loaded config entry. Defaults to 10 s
	NoCommand    time.Duration // the companion is not there. Defaults to 30 s
	Replaced     time.Duration // another process took over. Defaults to 60 s
	Incompatible time.Duration // only a person or a newer version can help. Defaults to 5 min
	BackIn       time.Duration // told at a planned stop: how long entities stay available. Defaults to 30 s
	Diagnosing   time.Duration // for the answer to a request for diagnostics. Defaults to 10 s
}

// withDefaults fills in what is zero.
func (t Times) withDefaults() Times {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Handshake, 10 * time.Second},
		{&t.Command, 30 * time.Second},
		{&t.Ping, 10 * time.Second},
		{&t.Pong, 10 * time.Second},
		{&t.Bye, 5 * time.Second},
		{&t.First, time.Second},
		{&t.Most, time.Minute},
		{&t.Settled, 30 * time.Second},
		{&t.Starting, 5 * time.Second},
		{&t.NotLoaded, 10 * time.Second},
		{&t.NoCommand, 30 * time.Second},
		{&t.Replaced, time.Minute},
		{&t.Incompatible, 5 * time.Minute},
		{&t.BackIn, 30 * time.Second},
		{&t.Diagnosing, 10 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}
