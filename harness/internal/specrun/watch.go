package specrun

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// beat is the interval of a worker's signs of life.
const beat = time.Second

// patience is how long a worker may be silent. It is counted in looks, not in time: nobody looks while the machine
// sleeps or this process is stopped.
type patience struct {
	every time.Duration // between two looks
	// consecutive looks at which a process of the worker was stopped, without a message in between
	stopped int
	silent  int // consecutive looks without a message; generous, for slow machines under load
}

// patient is the default. It is long enough for an emulated virtual machine under load.
var patient = patience{every: beat, stopped: 10, silent: 300}

// pulse is one of a worker's pipes. One goroutine reads it; others may ask how the reading goes.
type pulse struct {
	*os.File
	reading atomic.Bool  // a read is in progress
	heard   atomic.Int64 // bytes
	last    atomic.Bool  // the worker has ended, though its children may hold the pipe open
}

var _ io.Reader = (*pulse)(nil)

// drain is how long a pipe is still read after the worker's end.
const drain = time.Second

func (p *pulse) Read(buf []byte) (int, error) {
	if p.last.Load() {
		p.SetReadDeadline(time.Now().Add(drain))
	}
	p.reading.Store(true)
	n, err := p.File.Read(buf)
	p.reading.Store(false)
	p.heard.Add(int64(n))
	return n, err
}

// end makes reading end soon, even if another process holds the pipe open.
func (p *pulse) end() {
	p.last.Store(true)
	p.SetReadDeadline(time.Now().Add(drain))
}

// watch kills a worker that is silent for too long, until finished is closed. Silence does not count while nobody
// reads, such as while the user works in a kept lab.
func (w *workerProcess) watch(p patience, finished <-chan struct{}) {
	looks := time.NewTicker(p.every) // a ticker drops ticks for slow receivers
	defer looks.Stop()
	heard, silent, stopped := int64(-1), 0, 0
	for {
		select {
		case <-finished:
			return
		case <-looks.C:
		}
		if now := w.out.heard.Load(); now != heard || !w.out.reading.Load() {
			heard, silent, stopped = now, 0, 0
			continue
		}
		silent++
		what := w.process.Stopped()
		if what == "" {
			stopped = 0
		} else {
			stopped++
		}
		switch {
		case stopped >= p.stopped:
			w.kill(fmt.Sprintf("%s and did not go on within %v", what, time.Duration(stopped)*p.every))
			return
		case silent >= p.silent:
			w.kill(fmt.Sprintf("the worker sent nothing for %v, not even a sign of life",
				time.Duration(silent)*p.every))
			return
		}
	}
}
