package netns

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/sandbox"
)

// order is a request of the worker to the helper.
type order struct {
	ID      uint64   `json:"id"`
	Do      string   `json:"do"`
	Lab     string   `json:"lab"`
	Name    string   `json:"name,omitempty"`
	Names   []string `json:"names,omitempty"`
	Number  int      `json:"number,omitempty"`
	Program *Program `json:"program,omitempty"`
	Message []byte   `json:"message,omitempty"`
	// Input, Output and Errors say that a descriptor for the program comes with the order, in this sequence.
	Input  bool `json:"input,omitempty"`
	Output bool `json:"output,omitempty"`
	Errors bool `json:"errors,omitempty"`
}

// The orders to the helper.
const (
	// Make a lab, with Number namespaces ahead. The answer has four descriptors and, in Number, the id of its thread.
	doMake    = "make"
	doForesee = "foresee" // make Number namespaces ahead
	doAdd     = "add"     // add the namespaces Names; the answer's Number is how many were added
	doRemove  = "remove"  // remove the name Name
	doOpen    = "open"    // open what has the name Name; the answer has its descriptor
	doStart   = "start"   // start Program in Name; the answer has its process id and a pidfd, a second one its status
	doSend    = "send"    // send Message to the kernel through the netlink socket that comes with the order
	doLacks   = "lacks"   // report what was refused
	doClose   = "close"   // close the lab
)

// answer is the helper's answer to an order.
type answer struct {
	ID     uint64     `json:"id"`
	Failed *refusal   `json:"failed,omitempty"`
	Number int        `json:"number,omitempty"`
	Lacks  []*refusal `json:"lacks,omitempty"`
	Ended  bool       `json:"ended,omitempty"`
	Status uint32     `json:"status,omitempty"`
	fds    []int
}

// refusal is an error sent by the helper.
type refusal struct {
	Text  string        `json:"text"`
	Errno syscall.Errno `json:"errno,omitempty"`
	Kind  string        `json:"kind,omitempty"` // one of kinds
}

// kinds are the errors that keep their identity (errors.Is) when they are sent.
var kinds = map[string]error{
	"program": exec.ErrNotFound, "etc": ErrNoEtc, "sys": ErrNoSys, "ended": errThreadEnded, "helper": errHelper,
}

func refusalOf(err error) *refusal {
	if err == nil {
		return nil
	}
	r := &refusal{Text: err.Error()}
	errors.As(err, &r.Errno)
	for kind, known := range kinds {
		if errors.Is(err, known) {
			r.Kind = kind
		}
	}
	return r
}

func (r *refusal) Error() string { return r.Text }

func (r *refusal) Unwrap() []error {
	var is []error
	if r.Errno != 0 {
		is = append(is, r.Errno)
	}
	if known, ok := kinds[r.Kind]; ok {
		is = append(is, known)
	}
	return is
}

// The limits of a message, in bytes and in descriptors (SCM_MAX_FD, unix(7)).
const (
	maxMessage     = 4 << 20
	maxDescriptors = 253
)

// headSize is the length of a message's header: four bytes for its length, one for the number of its descriptors.
const headSize = 5

// post sends a message with its descriptors: a header, then JSON. It is one write, so that the receiver is woken once.
func post(conn *net.UnixConn, message any, fds []int) error {
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	if len(text) > maxMessage || len(fds) > maxDescriptors {
		return fmt.Errorf("send a message of %d bytes and %d descriptors: %w", len(text), len(fds), unix.E2BIG)
	}
	all := binary.BigEndian.AppendUint32(make([]byte, 0, headSize+len(text)), uint32(len(text)))
	all = append(append(all, byte(len(fds))), text...)
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	n, _, err := conn.WriteMsgUnix(all, rights, nil)
	if err == nil && n < len(all) {
		_, err = conn.Write(all[n:])
	}
	return err
}

// inbox reads messages.
type inbox struct {
	conn   *net.UnixConn
	bytes  []byte // received, and not yet part of a message
	fds    []int  // likewise
	buffer []byte
	rights []byte
}

func newInbox(conn *net.UnixConn) *inbox {
	return &inbox{conn: conn, buffer: make([]byte, 32<<10), rights: make([]byte, unix.CmsgSpace(4*maxDescriptors))}
}

// next reads the next message. The caller closes its descriptors.
func (in *inbox) next(message any) (fds []int, err error) {
	if err := in.fill(headSize); err != nil {
		return nil, err
	}
	size, count := int(binary.BigEndian.Uint32(in.bytes)), int(in.bytes[headSize-1])
	if size > maxMessage {
		return nil, fmt.Errorf("read a message of %d bytes: %w", size, unix.E2BIG)
	}
	if err := in.fill(headSize + size); err != nil {
		return nil, err
	}
	if count > len(in.fds) {
		return nil, fmt.Errorf("read a message: %d descriptors came instead of %d: %w", len(in.fds), count,
			unix.EBADMSG)
	}
	fds, in.fds = in.fds[:count:count], in.fds[count:]
	err = json.Unmarshal(in.bytes[headSize:headSize+size], message)
	in.bytes = append(in.bytes[:0], in.bytes[headSize+size:]...)
	return fds, err
}

// fill reads until there are at least size bytes.
func (in *inbox) fill(size int) error {
	for len(in.bytes) < size {
		n, oob, _, _, err := in.conn.ReadMsgUnix(in.buffer, in.rights)
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		fds, parsed := descriptors(in.rights[:oob])
		in.fds = append(in.fds, fds...)
		in.bytes = append(in.bytes, in.buffer[:max(0, n)]...) // -1 with an error
		if len(in.fds) > 2*maxDescriptors {
			parsed = errors.Join(parsed, unix.EBADMSG)
		}
		if err := errors.Join(err, parsed); err != nil {
			return err
		}
	}
	return nil
}

// close closes the descriptors that belong to no message.
func (in *inbox) close() { closeFDs(in.fds) }

func descriptors(rights []byte) (fds []int, err error) {
	if len(rights) == 0 {
		return nil, nil
	}
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	for i := range messages {
		more, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return fds, err
		}
		fds = append(fds, more...)
	}
	return fds, nil
}

func closeFDs(fds []int) {
	for _, fd := range fds {
		unix.Close(fd)
	}
}

// errHelper is the cause if the helper does not answer as it should: a program may have stopped it or taken its place.
var errHelper = errors.New("the helper in the sandbox does not answer")

// answerLasts is how long the helper may take for an answer. It is long because the kernel makes namespaces slowly
// while it takes many down, and the host may be busy.
const answerLasts = time.Minute

// endLasts is how long the helper may take to report the end of a killed program.
const endLasts = 20 * time.Second

// client is the worker's side of the connection to the helper. All labs of the worker share it.
type client struct {
	conn *net.UnixConn
	last atomic.Uint64

	writing sync.Mutex
	mu      sync.Mutex
	waiting map[uint64]chan answer
	running map[uint64]*Running
	broken  error
}

var helper = sync.OnceValues(func() (*client, error) {
	conn, err := sandbox.Helper()
	if err != nil {
		return nil, err
	}
	c := &client{conn: conn, waiting: map[uint64]chan answer{}, running: map[uint64]*Running{}}
	go c.hear()
	return c, nil
})

// hear receives the helper's answers until the connection breaks. An unexpected answer breaks it.
func (c *client) hear() {
	in := newInbox(c.conn)
	for {
		var a answer
		fds, err := in.next(&a)
		a.fds = fds
		if err == nil && !c.take(a) {
			err = errors.New("it sent an answer that was not asked for")
		}
		if err != nil {
			go func() { closeFDs(fds); in.close() }() // whatever they are: closing a socket may block
			c.breakOff(fmt.Errorf("%w: %w", errHelper, err))
			return
		}
	}
}

func (c *client) take(a answer) (expected bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.Ended {
		r, ok := c.running[a.ID]
		if !ok || len(a.fds) > 0 {
			return false
		}
		delete(c.running, a.ID)
		r.status = syscall.WaitStatus(a.Status)
		close(r.ended)
		return true
	}
	w, ok := c.waiting[a.ID]
	if !ok {
		return false
	}
	delete(c.waiting, a.ID)
	w <- a
	return true
}

// breakOff closes the connection. The helper ends with it, and so do all programs.
func (c *client) breakOff(why error) {
	c.conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken == nil {
		c.broken = why
	}
	for id, w := range c.waiting {
		delete(c.waiting, id)
		w <- answer{ID: id, Failed: &refusal{Text: c.broken.Error(), Kind: "helper"}}
	}
	for id, r := range c.running {
		delete(c.running, id)
		r.lost = c.broken
		close(r.ended)
	}
}

// ask sends an order with descriptors and waits for its answer. It is an error if the answer does not have exactly want
// descriptors, which the caller closes. running is the program that the order starts, if any.
func (c *client) ask(o order, fds []int, want int, running *Running) (answer, error) {
	o.ID = c.last.Add(1)
	w := make(chan answer, 1)
	c.mu.Lock()
	if c.broken != nil {
		c.mu.Unlock()
		return answer{}, c.broken
	}
	c.waiting[o.ID] = w
	if running != nil {
		c.running[o.ID] = running
	}
	c.mu.Unlock()

	c.writing.Lock()
	c.conn.SetWriteDeadline(time.Now().Add(answerLasts))
	err := post(c.conn, o, fds)
	c.writing.Unlock()
	if err != nil {
		c.breakOff(fmt.Errorf("%w: %w", errHelper, err))
	}
	timer := time.NewTimer(answerLasts)
	defer timer.Stop()
	var a answer
	select {
	case a = <-w:
	case <-timer.C:
		c.breakOff(fmt.Errorf("%w: no answer within %v", errHelper, answerLasts))
		a = <-w
	}
	if a.Failed != nil || len(a.fds) != want {
		go closeFDs(a.fds)
		c.mu.Lock()
		delete(c.running, o.ID)
		c.mu.Unlock()
		if a.Failed == nil {
			return a, fmt.Errorf("%w: it sent %d descriptors instead of %d", errHelper, len(a.fds), want)
		}
		return a, a.Failed
	}
	return a, nil
}

// remote is a site in the helper.
type remote struct {
	c     *client
	lab   string
	tid   int
	first answer // with the descriptors of the lab, until look takes them
}

func newRemote(id string, ahead int) (*remote, error) {
	c, err := helper()
	if err != nil {
		return nil, err
	}
	a, err := c.ask(order{Do: doMake, Lab: id, Number: ahead}, nil, 4, nil)
	if err != nil {
		return nil, err
	}
	return &remote{c: c, lab: id, tid: a.Number, first: a}, nil
}

func (r *remote) look() (Handle, places, error) {
	fds := r.first.fds
	r.first.fds = nil
	host, err := newHandle(fds[0])
	if err == nil {
		host, err = host.belonging()
	}
	if err != nil {
		closeFDs(fds[1:])
		return Handle{}, places{}, err
	}
	p, err := placesAt([3]int(fds[1:]))
	if err == nil {
		err = p.check()
	}
	if err != nil {
		host.Close()
		p.close()
		return Handle{}, places{}, err
	}
	return host, p, nil
}

func (r *remote) order(do, name string, number int) error {
	_, err := r.c.ask(order{Do: do, Lab: r.lab, Name: name, Number: number}, nil, 0, nil)
	return err
}

func (r *remote) remove(real string) error { return r.order(doRemove, real, 0) }
func (r *remote) thread() int              { return r.tid }

func (r *remote) add(real []string) (added int, err error) {
	a, err := r.c.ask(order{Do: doAdd, Lab: r.lab, Names: real}, nil, 0, nil)
	if whole := a.Number == len(real); a.Number < 0 || a.Number > len(real) || whole != (err == nil) {
		return 0, fmt.Errorf("%w: it added %d namespaces of %d", errHelper, a.Number, len(real))
	}
	return a.Number, err
}

// close leaves nothing behind, even if the helper does not answer: the kernel kills everything in its layer with it.
func (r *remote) close() error {
	closeFDs(r.first.fds)
	err := r.order(doClose, "", 0)
	if errors.Is(err, errHelper) {
		return nil
	}
	return err
}

func (r *remote) foresee(n int) error {
	if n == 0 {
		return nil
	}
	return r.order(doForesee, "", n)
}

func (r *remote) open(real string) (Handle, error) {
	a, err := r.c.ask(order{Do: doOpen, Lab: r.lab, Name: real}, nil, 1, nil)
	if err != nil {
		return Handle{}, err
	}
	h, err := newHandle(a.fds[0])
	if err != nil {
		return h, err
	}
	return h.belonging()
}

func (r *remote) send(socket int, message []byte) error {
	_, err := r.c.ask(order{Do: doSend, Lab: r.lab, Message: message}, []int{socket}, 0, nil)
	return err
}

func (r *remote) lacks() ([]error, error) {
	a, err := r.c.ask(order{Do: doLacks, Lab: r.lab}, nil, 0, nil)
	if err != nil {
		return nil, err
	}
	var lacks []error
	for _, l := range a.Lacks {
		if l != nil {
			lacks = append(lacks, l)
		}
	}
	return lacks, nil
}

func (r *remote) start(real string, p Program) (*Running, error) {
	o := order{Do: doStart, Lab: r.lab, Name: real, Program: &p, Input: p.Input != nil, Output: p.Output != nil,
		Errors: p.Errors != nil}
	var fds []int
	for _, f := range []*os.File{p.Input, p.Output, p.Errors} {
		if f != nil {
			fds = append(fds, int(f.Fd()))
		}
	}
	running := &Running{ended: make(chan struct{})}
	a, err := r.c.ask(o, fds, 1, running)
	if err != nil {
		return nil, err
	}
	running.PID = a.Number
	pidfd := a.fds[0]
	running.kill = func() error { return r.c.kill(running, pidfd) }
	go func() {
		<-running.ended
		running.mu.Lock()
		defer running.mu.Unlock()
		unix.Close(pidfd)
	}()
	return running, nil
}

// kill kills a program and its process group without the helper, which a program may have stopped. The helper still has
// to report its end within endLasts, or the connection is broken off.
func (c *client) kill(running *Running, pidfd int) error {
	running.mu.Lock()
	defer running.mu.Unlock()
	select {
	case <-running.ended:
		return nil
	default:
	}
	pid, err := processOf(pidfd)
	if err == nil && pid > 1 && pid != os.Getpid() {
		err = unix.Kill(-pid, unix.SIGKILL)
	}
	if err != nil && err != unix.ESRCH {
		return fmt.Errorf("kill the process group of %d: %w", running.PID, err)
	}
	go func() {
		timer := time.NewTimer(endLasts)
		defer timer.Stop()
		select {
		case <-running.ended:
		case <-timer.C:
			c.breakOff(fmt.Errorf("%w: it did not report the end of a program that was killed", errHelper))
		}
	}()
	return nil
}

// processOf returns the process id, in this process's PID namespace, of the process of a pidfd (/proc/self/fdinfo,
// pidfd_open(2)). The error is ESRCH if the process has ended.
func processOf(pidfd int) (pid int, err error) {
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", pidfd))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(info)) {
		if n, err := fmt.Sscanf(line, "Pid:\t%d", &pid); err == nil && n == 1 {
			if pid <= 0 {
				return 0, unix.ESRCH
			}
			return pid, nil
		}
	}
	return 0, unix.EBADF
}

// check verifies that descriptors from the helper are what they should be: the kernel is asked, not the helper.
func (p *places) check() error {
	var fs unix.Statfs_t
	var st unix.Stat_t
	if err := unix.Fstat(p.names, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return fmt.Errorf("%w: its %s is not a directory", errHelper, namesDir)
	}
	if err := unix.Fstatfs(p.proc, &fs); err != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return fmt.Errorf("%w: its /proc is not a procfs", errHelper)
	}
	if kind, err := unix.IoctlRetInt(p.mounts, unix.NS_GET_NSTYPE); err != nil || kind != unix.CLONE_NEWNS {
		return fmt.Errorf("%w: what it sent is not a mount namespace", errHelper)
	}
	return belongsBelow(p.mounts)
}
