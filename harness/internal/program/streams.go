package program

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// maxOutput is how much of a program's output is kept, in bytes.
const maxOutput = 1 << 20

// streams are the output of a program: one pipe for standard output and standard error, or one for each.
type streams struct {
	output, errors  *pipe // errors is nil if there is one pipe
	all, fromErrors *kept
}

func newStreams(apart bool) (s *streams, err error) {
	s = &streams{all: &kept{}, fromErrors: &kept{}}
	if s.output, err = newPipe(s.all); err != nil || !apart {
		return s, err
	}
	if s.errors, err = newPipe(io.MultiWriter(s.fromErrors, s.all)); err != nil {
		s.output.abandon()
	}
	return s, err
}

func (s *streams) each(do func(*pipe)) {
	do(s.output)
	if s.errors != nil {
		do(s.errors)
	}
}

func (s *streams) abandon() { s.each((*pipe).abandon) }
func (s *streams) collect() { s.each((*pipe).collect) }

// finish returns what was printed until now, when the program has ended.
func (s *streams) finish() (Printed, error) {
	var errs []error
	s.each(func(p *pipe) { errs = append(errs, p.finish()) })
	return Printed{All: s.all.text(), Errors: s.fromErrors.text()}, errors.Join(errs...)
}

// kept is the first maxOutput bytes of what is written to it.
type kept struct {
	mu    sync.Mutex
	first bytes.Buffer
	cut   bool
}

// Write discards what has no room.
func (k *kept) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fits := b[:min(len(b), maxOutput-k.first.Len())]
	k.first.Write(fits)
	k.cut = k.cut || len(fits) < len(b)
	return len(b), nil
}

func (k *kept) text() []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cut {
		return append(k.first.Bytes(), "\n[cut after 1 MiB]\n"...)
	}
	return k.first.Bytes()
}
