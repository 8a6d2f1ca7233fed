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

// order is what the worker asks of the helper.
type order struct {
	ID      uint64   `json:"id"`
	Do      string   `json:"do"`
	Lab     string   `json:"lab"`
	Name    string   `json:"name,omitempty"`
	Names   []string `json:"names,omitempty"`
	Number  int      `json:"number,omitempty"`
	Program *Program `json:"program,omitempty"`
	Message []byte   `json:"message,omitempty"`
	// Input and Output say that a descriptor comes along for the program, in this order.
	Input  bool `json:"input,omitempty"`
	Output bool `json:"output,omitempty"`
}

// What can be asked of the helper.
const (
	// a lab, with Number namespaces ahead; four descriptors and the number of its thread come back
	doMake    = "make"
	doForesee = "foresee" // Number namespaces
	doAdd     = "add"     // the namespaces Names; the number of those that were added comes back
	doRemove  = "remove"  // the name Name
	doOpen    = "open"    // what has the name Name; its descriptor comes back
	doStart   = "start"   // Program, in Name; its number and a pidfd come back, and when it has ended its status
	doSend    = "send"    // Message, to the kernel by the netlink socket that comes along
	doLacks   = "lacks"   // what was refused
	doClose   = "close"   // the lab
)

// answer is what the helper says of an order.
type answer struct {
	ID     uint64     `json:"id"`
	Failed *refusal   `json:"failed,omitempty"`
	Number int        `json:"number,omitempty"`
	Lacks  []*refusal `json:"lacks,omitempty"`
	Ended  bool       `json:"ended,omitempty"`
	Status uint32     `json:"status,omitempty"`
	fds    []int
}

// refusal is an error on its way from the helper.
type refusal struct {
	Text  string        `json:"text"`
	Errno syscall.Errno `json:"errno,omitempty"`
	Kind  string        `json:"kind,omitempty"` // one of kinds
}

// kinds are the errors of Go that keep their identity on the way.
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

// The bounds of a message, in bytes and in descriptors (SCM_MAX_FD, unix(7)).
const (
	maxMessage     = 4 << 20
	maxDescriptors = 253
)

// headSize is the length of what stands before a message: four bytes with its length, and one with the number of its
// descriptors.
const headSize = 5

// post writes a message at once, so that who reads it is woken once: its head, then JSON. The descriptors go with it.
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
	bytes  []byte // that were read and belong to messages that were not
	fds    []int  // likewise
	buffer []byte
	rights []byte
}

func newInbox(conn *net.UnixConn) *inbox {
	return &inbox{conn: conn, buffer: make([]byte, 32<<10), rights: make([]byte, unix.CmsgSpace(4*maxDescriptors))}
}

// next reads the next message. Its descriptors are the caller's to close.
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

// fill reads until there are so many bytes.
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

// close closes what came with no message.
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

// errHelper is the cause when the helper does not answer any more: a program may have stopped it, or taken its place.
var errHelper = errors.New("the helper in the sandbox does not answer")

// answerLasts is how long the helper may take for an answer. It is long, since the kernel makes namespaces slowly
// when it has many to take down, and the machine may have other things to do.
const answerLasts = time.Minute

// endLasts is how long the end of a program that was killed may take to be told.
const endLasts = 20 * time.Second

// client is the worker's side of the connection to the helper. All labs of the process share it.
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

// hear takes the helper's answers until the connection breaks. What was not asked for breaks it.
func (c *client) hear() {
	in := newInbox(c.conn)
	for {
		var a answer
		fds, err := in.next(&a)
		a.fds = fds
		if err == nil && !c.take(a) {
			err = errors.New("it says what it was not asked")
		}
		if err != nil {
			go func() { closeFDs(fds); in.close() }() // of whatever they are: to close a socket may take its time
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

// breakOff ends the helper, and with it all programs: it ends with the connection.
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

// ask sends an order and waits for its answer. The descriptors of the answer are the caller's: as many as he wants,
// or it is an error. A program that is to be started is in running.
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
		c.breakOff(fmt.Errorf("%w: it is silent since %v", errHelper, answerLasts))
		a = <-w
	}
	if a.Failed != nil || len(a.fds) != want {
		go closeFDs(a.fds)
		c.mu.Lock()
		delete(c.running, o.ID)
		c.mu.Unlock()
		if a.Failed == nil {
			return a, fmt.Errorf("%w: it hands over %d descriptors instead of %d", errHelper, len(a.fds), want)
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

// close leaves nothing behind, whatever became of the helper: the kernel ends all that is in its layer with it.
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
	o := order{Do: doStart, Lab: r.lab, Name: real, Program: &p, Input: p.Input != nil, Output: p.Output != nil}
	var fds []int
	for _, f := range []*os.File{p.Input, p.Output} {
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

// kill ends a program and its process group without the helper, which another program may hold. Its end is heard from
// the helper all the same, or there is no helper any more.
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
			c.breakOff(fmt.Errorf("%w: it does not tell of the end of a program that was killed", errHelper))
		}
	}()
	return nil
}

// processOf is the number that this process knows the process of a pidfd by (pidfd_open(2)). The error is ESRCH when
// it has ended.
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

// check looks whether descriptors that were handed over are what they are said to be.
func (p *places) check() error {
	var fs unix.Statfs_t
	var st unix.Stat_t
	if err := unix.Fstat(p.names, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return fmt.Errorf("%w: the names of namespaces are in no folder", errHelper)
	}
	if err := unix.Fstatfs(p.proc, &fs); err != nil || fs.Type != unix.PROC_SUPER_MAGIC {
		return fmt.Errorf("%w: its /proc is none", errHelper)
	}
	if kind, err := unix.IoctlRetInt(p.mounts, unix.NS_GET_NSTYPE); err != nil || kind != unix.CLONE_NEWNS {
		return fmt.Errorf("%w: its mount namespace is none", errHelper)
	}
	return belongsBelow(p.mounts)
}
