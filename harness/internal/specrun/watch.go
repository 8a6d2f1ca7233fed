package specrun

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// beat is how often a worker says that it is alive.
const beat = time.Second

// patience is how long a worker may be silent. It is counted in looks at it and not in time: while the machine sleeps,
// or this process is stopped itself, nobody looks.
type patience struct {
	every time.Duration // from look to look
	// looks at which one of its processes was stopped, one after the other without a word in between
	stopped int
	silent  int // looks without a word, whatever the processes do: a slow machine under load may take its time
}

// patient is what holds in a virtual machine without hardware's help under load as well.
var patient = patience{every: beat, stopped: 10, silent: 300}

// pulse is a worker's pipe, read by one goroutine, and what another one can tell of it.
type pulse struct {
	*os.File
	reading atomic.Bool  // somebody waits for what the worker says
	heard   atomic.Int64 // bytes
	last    atomic.Bool  // the worker has ended: what it wrote is there, but what it started may hold the pipe open
}

var _ io.Reader = (*pulse)(nil)

// drain is how long is waited for what was written before the worker's end.
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

// end lets reading come to an end although somebody may hold the pipe open.
func (p *pulse) end() {
	p.last.Store(true)
	p.SetReadDeadline(time.Now().Add(drain))
}

// watch kills the worker when it is silent for too long, until finished is closed. While nobody listens, as while
// somebody works in a lab that was kept, it may say nothing.
func (w *workerProcess) watch(p patience, finished <-chan struct{}) {
	looks := time.NewTicker(p.every) // ticks that nobody takes are lost
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
			w.kill(fmt.Sprintf("%s, and did not go on within %v", what, time.Duration(stopped)*p.every))
			return
		case silent >= p.silent:
			w.kill(fmt.Sprintf("the worker has said nothing for %v, not even that it is alive",
				time.Duration(silent)*p.every))
			return
		}
	}
}
