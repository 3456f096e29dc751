package cache

import (
	"strings"

	"github.com/dgraph-io/badger/v4"
	badgeroptions "github.com/dgraph-io/badger/v4/options"
	"github.com/rs/zerolog"
)

// memTable is the size of Badger's table in memory. Nearly all of its memory hangs on it: with 2,000 keys of 200 bytes that
// are updated again and again the process has 30 MB at 1 MB, 77 MB at 8 MB and 749 MB at the default of 64 MB (Badger 4.9.6,
// 600,000 updates).
const memTable = 1 << 20

// options are the measured settings. Three of them hang together:
//
//   - MemTableSize must not exceed BaseTableSize and there must be no compression: otherwise the table builder's allocator
//     (ristretto 2.2, z/allocator.go: a shift by 32 of an int) loses data silently on 32-bit machines.
//   - ValueThreshold must stay below 15 % of MemTableSize, or Open fails.
//   - ValueLogFileSize has its least value: the default of 1 GB is reserved as a sparse file of 2 GB.
//
// SyncWrites stays off because Put syncs once for each batch: one sync for each update multiplies what the disk has to
// write by 23.
func options(dir string) badger.Options {
	o := badger.DefaultOptions(dir)
	o.MemTableSize = memTable
	o.NumMemtables = 2
	o.BaseTableSize = memTable
	o.BaseLevelSize = 4 << 20
	o.ValueThreshold = 1 << 10
	o.ValueLogFileSize = 1 << 20
	o.BlockCacheSize = 0
	o.IndexCacheSize = 0
	o.Compression = badgeroptions.None
	o.NumCompactors = 2
	o.NumLevelZeroTables = 2
	o.NumLevelZeroTablesStall = 4
	o.MetricsEnabled = false
	o.DetectConflicts = false
	o.NumGoroutines = 1
	o.CompactL0OnClose = true
	return o
}

// logger hands Badger's talk on, each level one lower: its errors are degradations here, and what it tells of its daily work
// interests nobody.
type logger struct{ log zerolog.Logger }

func (l logger) Errorf(format string, args ...any)   { l.say(zerolog.WarnLevel, format, args) }
func (l logger) Warningf(format string, args ...any) { l.say(zerolog.DebugLevel, format, args) }
func (l logger) Infof(format string, args ...any)    { l.say(zerolog.TraceLevel, format, args) }
func (l logger) Debugf(string, ...any)               {}

func (l logger) say(level zerolog.Level, format string, args []any) {
	l.log.WithLevel(level).Str("part", "badger").Msgf(strings.TrimSpace(format), args...)
}
