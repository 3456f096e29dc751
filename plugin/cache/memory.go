package cache

import (
	"fmt"
	"strings"

	"github.com/dgraph-io/badger/v4"
	badgeroptions "github.com/dgraph-io/badger/v4/options"
	"github.com/rs/zerolog"
)

// memTable is the size of Badger's table in memory, which takes all values of a house and their changes until a new
// file is begun. More only costs memory; less would not take a value of maxValue.
const memTable = 512 << 10

// newMemory opens an empty Badger in memory.
//
//   - Nothing is ever compacted, because a new file comes with a new Badger: two compactors would wake up 40 times a
//     second for nothing. So a full table is only put away, and their number must never count as too many.
//   - MemTableSize must not exceed BaseTableSize and there must be no compression: otherwise the table builder's
//     allocator (ristretto 2.2, z/allocator.go: a shift by 32 of an int) loses data silently on 32-bit machines.
func newMemory(log zerolog.Logger) (*badger.DB, error) {
	return badger.Open(options().WithLogger(logger{log}))
}

func options() badger.Options {
	const never = 1 << 20 // tables
	o := badger.DefaultOptions("").WithInMemory(true)
	o.MemTableSize = memTable
	o.BaseTableSize = memTable
	o.NumMemtables = 1
	o.ValueThreshold = maxValue + 1 // a value of this size would be looked for in a value log, which is not there
	o.BlockCacheSize = 0
	o.IndexCacheSize = 0
	o.Compression = badgeroptions.None
	o.NumCompactors = 0
	o.NumLevelZeroTables = never
	o.NumLevelZeroTablesStall = never + 1
	o.CompactL0OnClose = false
	o.MetricsEnabled = false
	o.DetectConflicts = false
	o.NumGoroutines = 1
	return o
}

// apply sets and deletes values.
func apply(db *badger.DB, batch map[string][]byte) error {
	w := db.NewWriteBatch()
	defer w.Cancel()
	for key, value := range batch {
		var err error
		if value == nil {
			err = w.Delete([]byte(key))
		} else {
			err = w.Set([]byte(key), value)
		}
		if err != nil {
			return fmt.Errorf("%.100q: %w", key, err)
		}
	}
	return w.Flush()
}

// snapshot returns a copy of everything that db holds. An empty value is not nil.
func snapshot(db *badger.DB) (map[string][]byte, error) {
	values := map[string][]byte{}
	err := each(db, "", func(key string, value []byte) error { values[key] = value; return nil })
	return values, err
}

// each calls f for every key that begins with prefix, in order of the keys.
func each(db *badger.DB, prefix string, f func(key string, value []byte) error) error {
	return db.View(func(txn *badger.Txn) error {
		o := badger.DefaultIteratorOptions
		o.Prefix = []byte(prefix)
		o.PrefetchValues = false
		it := txn.NewIterator(o)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			value, err := it.Item().ValueCopy([]byte{})
			if err != nil {
				return err
			}
			if err := f(string(it.Item().KeyCopy(nil)), value); err != nil {
				return err
			}
		}
		return nil
	})
}

// logger hands Badger's talk on, each level one lower: its errors are degradations here, and what it tells of its daily
// work interests nobody.
type logger struct{ log zerolog.Logger }

func (l logger) Errorf(format string, args ...any)   { l.say(zerolog.WarnLevel, format, args) }
func (l logger) Warningf(format string, args ...any) { l.say(zerolog.DebugLevel, format, args) }
func (l logger) Infof(format string, args ...any)    { l.say(zerolog.TraceLevel, format, args) }
func (l logger) Debugf(string, ...any)               {}

func (l logger) say(level zerolog.Level, format string, args []any) {
	l.log.WithLevel(level).Str("part", "badger").Msgf(strings.TrimSpace(format), args...)
}
