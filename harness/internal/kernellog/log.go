package kernellog

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/kernelfault"
	"netnscheck/harness/internal/untrusted"
	"netnscheck/harness/term"
)

// source gives one record for each Read, and EAGAIN if there is none now; EPIPE means that records were overwritten
// before they were read.
type source interface {
	Read(record []byte) (int, error)
	// Await waits for a record, no longer than limit.
	Await(limit time.Duration) bool
	Close() error
}

// log is the kernel's log from when it was opened on, and the taint of the kernel.
type log struct {
	from    source // nil if it cannot be read, for the reason why
	why     error
	taint   func() (uint64, error)
	tainted uint64

	scanner kernelfault.Scanner
	line    string   // the last line, which the next record may go on with
	recent  []string // the last lines
	count   int      // how many lines there were
	lost    int      // how often records were lost
	spared  []string // the complaints that fail nothing
	buffer  [16 << 10]byte
}

const (
	mostRecent  = 4096    // lines
	mostSpared  = 8       // complaints
	mostRecords = 1 << 16 // of one look
)

// complaint is what the kernel complained of.
type complaint struct {
	words string
	lines []string
}

func newLog(from source, why error, taint func() (uint64, error)) *log {
	l := &log{from: from, why: why, taint: taint}
	l.tainted, _ = taint() // if it cannot be read, it is the same at each look
	return l
}

// look returns what the kernel has complained of since the last look. The taint is read first: the kernel sets it when
// the text is in its log (__warn, kernel/panic.c).
func (l *log) look() (all []complaint) {
	tainted, err := l.taint()
	l.read()
	for _, f := range l.scanner.Take() {
		if f.Class == kernelfault.Hang || f.Class == kernelfault.OutOfMemory {
			if len(l.spared) < mostSpared {
				l.spared = append(l.spared, f.Words())
			}
			continue // the load of this machine can cause it
		}
		all = append(all, complaint{"the kernel complained: " + f.Words(), strings.Split(f.Text, "\n")})
		l.tainted |= kernelfault.Faults // they come with a complaint
	}
	if err != nil {
		return all
	}
	if more := tainted &^ l.tainted &^ kernelfault.Faults; more != 0 && len(l.spared) < mostSpared {
		l.spared = append(l.spared, "a taint: "+kernelfault.TaintWords(more))
	}
	if more := tainted &^ l.tainted & kernelfault.Faults; more != 0 {
		words := "the kernel was tainted: " + kernelfault.TaintWords(more)
		if l.from == nil {
			words += fmt.Sprintf("; the kernel log could not be read: %v", l.why)
		}
		all = append(all, complaint{words: words})
	}
	l.tainted |= tainted
	return all
}

// afterwards is how long the kernel may take to go on with a complaint that it has begun.
const afterwards = 100 * time.Millisecond

// read reads what there is, and the whole of a complaint that has begun.
func (l *log) read() {
	if l.from == nil {
		return
	}
	for start := time.Now(); ; {
		l.drain()
		left := afterwards - time.Since(start)
		if l.from == nil || !l.scanner.Open() || left <= 0 || !l.from.Await(left) {
			break
		}
	}
	l.scanner.Close()
}

// drain reads the records that are there.
func (l *log) drain() {
	defer l.endLine()
	for range mostRecords {
		n, err := l.from.Read(l.buffer[:])
		switch {
		case errors.Is(err, unix.EAGAIN), err == nil && n == 0:
			return
		case errors.Is(err, unix.EPIPE):
			l.lost++
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EINVAL): // the latter: a record of more than the buffer
		case err != nil:
			l.from.Close()
			l.from, l.why = nil, fmt.Errorf("read /dev/kmsg: %w", err)
			return
		default:
			if r, ok := readRecord(l.buffer[:n]); ok && r.facility == kernelFacility {
				l.take(&r)
			}
		}
	}
}

func (l *log) take(r *record) {
	if r.goesOn && l.line != "" {
		l.line += untrusted.Shown(r.text)
		return
	}
	for _, line := range r.lines() {
		l.endLine()
		l.line = untrusted.Shown(line)
	}
}

// endLine takes the last line for complete.
func (l *log) endLine() {
	if l.line == "" {
		return
	}
	l.scanner.Add(l.line)
	if l.recent = append(l.recent, l.line); len(l.recent) > mostRecent {
		l.recent = append([]string{}, l.recent[mostRecent/2:]...)
	}
	l.count++
	l.line = ""
}

// words say whether the log could be read, and what it told that fails nothing.
func (l *log) words() string {
	words := "read"
	if l.from == nil {
		words = fmt.Sprintf("the kernel log could not be read: %v", l.why)
	}
	if l.lost > 0 {
		words += fmt.Sprintf("; records were overwritten before they were read (%s)", term.Count(l.lost, "time"))
	}
	if len(l.spared) > 0 {
		words += "; what fails no case, since it may be the machine's: " + strings.Join(l.spared, "; ")
	}
	return words
}

// kmsg is /dev/kmsg.
type kmsg struct{ fd int }

// openKmsg opens the log at its end.
func openKmsg() (source, error) {
	const path = "/dev/kmsg"
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if _, err := unix.Seek(fd, 0, unix.SEEK_END); err != nil {
		unix.Close(fd)
		return nil, &os.PathError{Op: "seek", Path: path, Err: err}
	}
	return kmsg{fd}, nil
}

func (k kmsg) Read(record []byte) (int, error) { return unix.Read(k.fd, record) }
func (k kmsg) Close() error                    { return unix.Close(k.fd) }

func (k kmsg) Await(limit time.Duration) bool {
	n, _ := unix.Poll([]unix.PollFd{{Fd: int32(k.fd), Events: unix.POLLIN}}, int(limit.Milliseconds())+1)
	return n > 0
}

// readTaint reads the taint of the kernel, which everybody may.
func readTaint() (uint64, error) {
	text, err := os.ReadFile("/proc/sys/kernel/tainted")
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
}
