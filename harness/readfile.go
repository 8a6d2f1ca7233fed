package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// The most bytes that are read of a file: what is larger is no such file. A scenario of the catalogue has 30 KiB at
// most; the state of a node with 100,000 packet filter rules has some 40 MiB.
const (
	scenarioLimit = 1 << 20
	stateLimit    = 64 << 20
)

// interruptible carries out what may wait for others, such as a pipe that nobody writes to or a file system that does
// not answer, and ends with the context; what it was then ends with the process. Whatever reads a file that the user
// names goes through it.
func interruptible[T any](ctx context.Context, what string, do func() (T, error)) (T, error) {
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
		return none, cannot("%s: interrupted: %w", what, context.Cause(ctx))
	}
}

// readFile reads a regular file that the user named, or one of the kinds that are allowed beside.
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
		return nil, usage("read %s: it is larger than %s, the most that is read", path, size(limit))
	}
	return text, nil
}

// kindOf says what a file is that is no regular one.
func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return syscall.EISDIR.Error()
	case mode&fs.ModeNamedPipe != 0:
		return "it is a pipe, a regular file is wanted"
	case mode&fs.ModeSocket != 0:
		return "it is a socket, a regular file is wanted"
	}
	return "it is a device, a regular file is wanted"
}

func readError(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return usage("read %s: %w", path, err)
}

// size is a number of bytes that is a multiple of 1 MiB.
func size(bytes int64) string { return fmt.Sprintf("%d MiB", bytes>>20) }
