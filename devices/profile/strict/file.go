package strict

import (
	"fmt"
	"io"
	"os"
)

// MaxFile is the largest file that ReadFile reads, in bytes. The largest profile known has 60 kB.
const MaxFile = 1 << 20

// ReadFile reads a file that a person has named. It refuses a file above MaxFile, and all that is no regular file: a
// pipe may never be written to, and a device such as /dev/zero never ends.
func ReadFile(name string) ([]byte, error) {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFile+1)) // files in /proc say that they are empty
	if err == nil && len(data) > MaxFile {
		err = fmt.Errorf("%s is larger than %d bytes", name, MaxFile)
	}
	return data, err
}
