package cache

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"runtime"
	"slices"
)

// The file begins with magic. Each batch follows as a frame: a head of 12 bytes, then the payload. All numbers are
// little-endian.
//
//	0  length of the payload
//	4  checksum of the payload (CRC-32C)
//	8  checksum of the eight bytes before
//
// The payload has, for each key in order: the length of the key and the key, then 0 if the key is deleted, or else the
// length of the value and 1, and the value. These lengths are uvarints.
const (
	magic    = "solarhub cache 1\n"
	headSize = 12

	maxFile  = 64 << 20 // bounds the memory that a file may cost; forty devices need 3 MB
	maxFrame = 64 << 10 // of a new file, so that damage to it costs only a part
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errUnfinished: the last batch is not complete. The process or the power ended before it was acknowledged, or the end
// of the file is damaged.
var errUnfinished = errors.New("the last batch is not complete")

// encode returns a batch as a frame.
func encode(batch map[string][]byte) []byte {
	frame := make([]byte, headSize)
	for _, key := range slices.Sorted(maps.Keys(batch)) {
		frame = appendValue(frame, key, batch[key])
	}
	return seal(frame)
}

func appendValue(frame []byte, key string, value []byte) []byte {
	frame = binary.AppendUvarint(frame, uint64(len(key)))
	frame = append(frame, key...)
	if value == nil {
		return binary.AppendUvarint(frame, 0)
	}
	frame = binary.AppendUvarint(frame, uint64(len(value))+1)
	return append(frame, value...)
}

// seal fills in the head of a frame.
func seal(frame []byte) []byte {
	payload := frame[headSize:]
	binary.LittleEndian.PutUint32(frame, uint32(len(payload)))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(payload, castagnoli))
	binary.LittleEndian.PutUint32(frame[8:], crc32.Checksum(frame[:8], castagnoli))
	return frame
}

// read returns what a file holds. With an error it is what precedes the damage; errUnfinished if only the end is
// missing.
func read(name string) (map[string][]byte, error) {
	values := map[string][]byte{}
	info, err := os.Stat(name)
	if err != nil {
		return values, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile { // a pipe would never end
		return values, fmt.Errorf("%s is no file of a cache: %s, %d bytes", name, info.Mode(), info.Size())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return values, err
	}
	if err := decode(data, values); err != nil {
		return values, fmt.Errorf("read %s: %w", name, err)
	}
	return values, nil
}

// decode carries out all batches of a file on values, up to the first that is damaged.
func decode(data []byte, values map[string][]byte) error {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok {
		return errors.New("it does not begin as a cache does")
	}
	for len(rest) > 0 {
		at := len(data) - len(rest)
		payload, err := unseal(rest)
		if err == nil {
			err = carryOut(payload, values)
		}
		if err != nil {
			return fmt.Errorf("at byte %d: %w", at, err)
		}
		rest = rest[headSize+len(payload):]
	}
	return nil
}

// unseal returns the payload of the first frame of data.
func unseal(data []byte) ([]byte, error) {
	if len(data) < headSize || len(bytes.Trim(data, "\x00")) == 0 { // zeros: the power failed when the file had grown
		return nil, errUnfinished
	}
	if crc32.Checksum(data[:8], castagnoli) != binary.LittleEndian.Uint32(data[8:]) {
		return nil, errors.New("the head of a batch has a wrong checksum")
	}
	length := uint64(binary.LittleEndian.Uint32(data))
	if length > uint64(len(data)-headSize) {
		return nil, errUnfinished
	}
	payload := data[headSize : headSize+int(length)]
	if crc32.Checksum(payload, castagnoli) == binary.LittleEndian.Uint32(data[4:]) {
		return payload, nil
	}
	if headSize+len(payload) == len(data) {
		return nil, errUnfinished
	}
	return nil, errors.New("a batch has a wrong checksum")
}

// carryOut sets and deletes what a payload says, or changes nothing if it is malformed.
func carryOut(payload []byte, values map[string][]byte) error {
	batch := map[string][]byte{}
	for len(payload) > 0 {
		key, rest, ok := cutText(payload, 0)
		if !ok {
			return errors.New("a batch has a malformed key")
		}
		value, rest, ok := cutText(rest, 1)
		if !ok {
			return errors.New("a batch has a malformed value")
		}
		batch[string(key)], payload = value, rest
	}
	for key, value := range batch {
		if value == nil {
			delete(values, key)
		} else {
			values[key] = value
		}
	}
	return nil
}

// cutText takes a text off data, of which the length is told with offset added; nil if it is less than offset.
func cutText(data []byte, offset uint64) (text, rest []byte, ok bool) {
	length, n := binary.Uvarint(data)
	if n <= 0 {
		return nil, nil, false
	}
	data = data[n:]
	if length < offset {
		return nil, data, true
	}
	if length -= offset; length > uint64(len(data)) {
		return nil, nil, false
	}
	return data[:length:length], data[length:], true
}

// create makes a file with all values, syncs it and returns its size. On an error nothing of it is left.
func create(name string, values map[string][]byte) (size int64, err error) {
	if err := os.RemoveAll(name); err != nil { // of a process that ended meanwhile
		return 0, err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	data := []byte(magic)
	frame := make([]byte, headSize)
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if frame = appendValue(frame, key, values[key]); len(frame) > maxFrame {
			data, frame = append(data, seal(frame)...), make([]byte, headSize)
		}
	}
	data = append(data, seal(frame)...)
	if len(data) > maxFile {
		err = fmt.Errorf("%d bytes are too much for a cache", len(data))
	} else {
		err = write(file, data)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return 0, errors.Join(err, os.Remove(name))
	}
	return int64(len(data)), nil
}

// write appends data and returns when it is on the disk.
func write(file *os.File, data []byte) error {
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Sync()
}

// syncFolder makes a renaming last. If it cannot, a power failure may bring the old file back, which is whole too.
func syncFolder(dir string) {
	if runtime.GOOS == "windows" {
		return // knows no such thing
	}
	if folder, err := os.Open(dir); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
}
