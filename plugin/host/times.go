package host

import "time"

// The times of a session.
const (
	handshakeTimeout   = 10 * time.Second // from dialling to auth_ok: what the host itself grants
	commandTimeout     = 30 * time.Second // from a command to its answer; thousands of new entities take 2 s
	pingInterval       = 10 * time.Second
	pongTimeout        = 10 * time.Second // from a ping to its answer, else the session is dead
	heartbeatDefault   = 10 * time.Second // between two heartbeats if the companion does not say
	byeTimeout         = 5 * time.Second  // for answers to pending calls and the goodbye at a planned stop
	backIn             = 30 * time.Second // announced at a planned stop: so long entities stay available
	diagnosticsTimeout = 10 * time.Second // for collecting the diagnostics
)

// The waits before the next attempt.
const (
	retryFirst = time.Second      // after a failure of no known reason; it doubles each time
	retryMost  = time.Minute      // the longest such wait
	retryReset = 30 * time.Second // a session that was ready for so long resets the wait to retryFirst

	waitStarting     = 1500 * time.Millisecond // the host is starting
	waitNotLoaded    = 10 * time.Second        // the companion has no loaded config entry
	waitNotInstalled = 30 * time.Second        // the host has no companion
	waitReplaced     = time.Minute             // another process took over
	waitInUse        = 30 * time.Second        // another process of the same name is connected
	waitRefused      = 5 * time.Minute         // only a person can help, or a newer version
)
