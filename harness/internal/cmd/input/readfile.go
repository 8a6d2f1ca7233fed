// Package input reads what the user names on the command line: scenarios by id, file or folder, and states. Its errors
// carry the status Usage or Cannot. The commands import it; it never runs or prints anything.
package input

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"netnscheck/harness/internal/cmd/status"
)

// Limits on the size of a file, in bytes; a larger one is refused. The largest scenario of the catalogue has 30 KiB;
// the state of a node with 100,000 packet filter rules has about 40 MiB.
const (
	scenarioLimit = 8 << 20
	StateLimit    = 64 << 20
)

// Interruptible runs a function that may block, on a pipe without a writer or a hanging file system, and returns when
// it does or when the context ends; an abandoned call goes on until the process exits. Every read of a file that the
// user names goes through it.
func Interruptible[T any](ctx context.Context, what string, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, status.With(status.Cut, fmt.Errorf("%s: interrupted: %w", what, context.Cause(ctx)))
	}
}

// Text reads a regular file that the user named, such as one of expectations.
func Text(ctx context.Context, path string) ([]byte, error) {
	return Interruptible(ctx, "read "+path, func() ([]byte, error) { return readFile(path, scenarioLimit, 0) })
}

// readFile reads a regular file that the user named, or a file of one of the other kinds.
func readFile(path string, limit int64, kinds fs.FileMode) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && info.Mode().Type()&^kinds != 0 {
		err = errors.New(kindOf(info.Mode()))
	}
	if err != nil {
		return nil, readError(path, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, readError(path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, readError(path, err)
	case int64(len(text)) > limit:
		return nil, status.Usagef("read %s: it is larger than the limit of %s", path, Size(limit))
	}
	return text, nil
}

// kindOf names the kind of a file that is not regular.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return syscall.EISDIR.Error()
	case mode&fs.ModeNamedPipe != 0:
		return "it is a pipe, not a regular file"
	case mode&fs.ModeSocket != 0:
		return "it is a socket, not a regular file"
	}
	return "it is a device, not a regular file"
}

func readError(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return status.Usagef("read %s: %w", path, err)
}

// Size formats a number of bytes, a multiple of 1 MiB.
func Size(bytes int64) string { return fmt.Sprintf("%d MiB", bytes>>20) }
