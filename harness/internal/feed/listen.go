package feed

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state/changes"
)

// most is how many datagrams of one socket are received at a time, so that a flood on one keeps none of the others from
// being heard. It is more than fit into the room of a socket.
const most = 1 << 16

// listen waits for the kernel, and for nothing else, until the feed is closed.
func (f *Feed) listen() {
	defer close(f.silent)
	watched := f.watched()
	for {
		_, err := unix.Poll(watched, -1)
		f.wakeups.Add(1)
		if err != nil && err != unix.EINTR {
			f.fail(fmt.Errorf("wait for the kernel: %w", err))
		}
		select {
		case <-f.done:
			return
		default:
		}
		f.round(watched)
		if f.Err() != nil {
			return
		}
	}
}

// watched is what the listener waits for. poll(2) passes over negative descriptors.
func (f *Feed) watched() []unix.PollFd {
	return []unix.PollFd{
		{Fd: int32(f.bell), Events: unix.POLLIN},
		{Fd: int32(f.routes), Events: unix.POLLIN},
		{Fd: int32(f.filters), Events: unix.POLLIN},
		{Fd: int32(f.tellers.Names), Events: unix.POLLIN},
		{Fd: int32(f.tellers.Mounts), Events: unix.POLLPRI},
	}
}

// round receives what there is. Whoever waits for that is told at the end.
func (f *Feed) round(watched []unix.PollFd) {
	var number [8]byte
	unix.Read(f.bell, number[:]) // before taking those who wait: a later one rings again
	f.mu.Lock()
	waiting := f.waiting
	f.waiting = nil
	f.mu.Unlock()
	look := watched[4].Revents != 0
	if len(waiting) > 0 { // what they wait for may have come after the poll
		unix.Poll(watched, 0)
		look = look || watched[4].Revents != 0 || watched[3].Fd < 0 || watched[4].Fd < 0
	}
	entries := map[string]bool{}
	if watched[1].Revents != 0 || len(waiting) > 0 {
		look = f.drain(f.routes, f.route) || look
	}
	if f.filters >= 0 && (watched[2].Revents != 0 || len(waiting) > 0) {
		f.drain(f.filters, func(id int, _ message) bool { return f.note(id, changes.Filters) })
	}
	if watched[3].Fd >= 0 && (watched[3].Revents != 0 || len(waiting) > 0) {
		look = f.readNames(entries) || look
	}
	if look || len(entries) > 0 {
		f.look(entries)
	}
	for _, heard := range waiting {
		close(heard)
	}
}

// drain receives all datagrams that are there. hear reports whether the names have to be looked at again.
func (f *Feed) drain(fd int, hear func(id int, m message) bool) (look bool) {
	for range most {
		err := receive(fd, f.buffer[:], func(id int, m message) { look = hear(id, m) || look })
		switch {
		case err == nil:
			f.reads.Add(1)
		case errors.Is(err, unix.EAGAIN):
			return look
		case errors.Is(err, unix.ENOBUFS):
			f.lose()
			look = true
		case errors.Is(err, unix.EINTR):
		default:
			f.fail(fmt.Errorf("receive what has changed: %w", err))
			return look
		}
	}
	return look
}

// route hears one message of rtnetlink.
func (f *Feed) route(id int, m message) (look bool) {
	if id == own {
		return m.kind == unix.RTM_DELNSID && f.forget(m)
	}
	f.pass(id, m)
	return f.note(id, kindOf(m))
}

// note adds to the change that is told next. It never makes it necessary to look at the names again.
func (f *Feed) note(id int, k changes.Kinds) (look bool) {
	names := f.by[id]
	if len(names) == 0 || k == 0 {
		return false
	}
	f.mu.Lock()
	for _, name := range names {
		f.pending.Note(name, k)
	}
	f.added(k)
	f.mu.Unlock()
	f.stir()
	return false
}

// lose notes that reports were lost. No id is certain any more.
func (f *Feed) lose() {
	clear(f.names)
	f.mu.Lock()
	f.missed()
	f.mu.Unlock()
	f.stir()
}

// fail ends the feed. What changes from then on is lost.
func (f *Feed) fail(err error) {
	f.mu.Lock()
	if f.failed == nil {
		f.failed = err
	}
	f.missed()
	f.mu.Unlock()
	f.stir()
}

// missed notes that something may have changed of which nothing is known. The caller holds mu.
func (f *Feed) missed() {
	f.pending.Everything = true
	f.added(f.pending.All())
	for _, all := range f.hearers {
		for _, h := range all {
			h.lost = true
		}
	}
}

// deliver gives the changes to whoever receives them. It has a timer only while there is a change to be told.
func (f *Feed) deliver() {
	defer close(f.changes)
	for {
		select {
		case <-f.dirty:
		case <-f.done:
			return
		}
		if !f.burst() {
			return
		}
		for {
			c, notes := f.peek()
			if f.Err() != nil {
				return
			}
			if !c.Any() {
				break
			}
			select {
			case f.changes <- c:
				f.told(notes)
			case <-f.dirty: // c is out of date
			case <-f.done:
				return
			}
		}
	}
}

// burst waits until it has been quiet for a moment, but not for long. It returns false if the feed was closed.
func (f *Feed) burst() bool {
	pause, limit := time.NewTimer(quiet), time.NewTimer(longest)
	defer pause.Stop()
	defer limit.Stop()
	for {
		select {
		case <-f.dirty:
			pause.Reset(quiet)
		case <-pause.C:
			return true
		case <-limit.C:
			return true
		case <-f.done:
			return false
		}
	}
}

// peek is the change to be told, and how much was added to it so far.
func (f *Feed) peek() (changes.Change, int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pending.Clone(), f.notes
}

// told forgets the change that was told, unless something was added to it meanwhile.
func (f *Feed) told(notes int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.notes == notes {
		f.pending = changes.Change{}
	}
}
