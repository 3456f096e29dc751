package host

import "time"

// Times are the intervals of a Client. Tests shorten them.
type Times struct {
	Handshake time.Duration // from dialling to auth_ok. Defaults to 10 s, what the host itself grants
	Command   time.Duration // from a command to its answer. Defaults to 30 s; thousands of new entities take 2 s
	Ping      time.Duration // between two application pings. Defaults to 10 s
	Pong      time.Duration // from a ping to its answer, else the session is dead. Defaults to 10 s
	Heartbeat time.Duration // between two heartbeats if the companion does not say. Defaults to 10 s
	Bye       time.Duration // for answers to pending calls and the goodbye at a planned stop. Defaults to 5 s

	RetryFirst time.Duration // wait before the first redial; it doubles each time. Defaults to 1 s
	RetryMax   time.Duration // the longest such wait. Defaults to 60 s
	RetryReset time.Duration // a session that was ready for so long resets the wait to RetryFirst. Defaults to 30 s

	// Waits before the next attempt after a failure that has a known reason.
	Starting     time.Duration // the host is starting. Defaults to 1.5 s
	NotLoaded    time.Duration // the companion has no loaded config entry. Defaults to 10 s
	NotInstalled time.Duration // the host has no companion. Defaults to 30 s
	Replaced     time.Duration // another process took over. Defaults to 60 s
	InUse        time.Duration // another process of the same name is connected. Defaults to 30 s
	Refused      time.Duration // only a person can help, or a newer version. Defaults to 5 min

	BackIn      time.Duration // announced at a planned stop: so long entities stay available. Defaults to 30 s
	Diagnostics time.Duration // for collecting the diagnostics. Defaults to 10 s
}

// withDefaults replaces each zero by its default.
func (t Times) withDefaults() Times {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&t.Handshake, 10 * time.Second},
		{&t.Command, 30 * time.Second},
		{&t.Ping, 10 * time.Second},
		{&t.Pong, 10 * time.Second},
		{&t.Heartbeat, 10 * time.Second},
		{&t.Bye, 5 * time.Second},
		{&t.RetryFirst, time.Second},
		{&t.RetryMax, time.Minute},
		{&t.RetryReset, 30 * time.Second},
		{&t.Starting, 1500 * time.Millisecond},
		{&t.NotLoaded, 10 * time.Second},
		{&t.NotInstalled, 30 * time.Second},
		{&t.Replaced, time.Minute},
		{&t.InUse, 30 * time.Second},
		{&t.Refused, 5 * time.Minute},
		{&t.BackIn, 30 * time.Second},
		{&t.Diagnostics, 10 * time.Second},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return t
}
