package feed

import (
	"errors"
	"fmt"
	"maps"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
	"netnscheck/harness/state/changes"
)

// readNames reads which entries of /run/netns were made or removed. all is set if some were lost.
func (f *Feed) readNames(entries map[string]bool) (all bool) {
	for {
		n, err := unix.Read(f.tellers.Names, f.buffer[:])
		if err == unix.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return all
		}
		for part := f.buffer[:n]; len(part) >= unix.SizeofInotifyEvent; {
			mask, length := native.Uint32(part[4:]), int(native.Uint32(part[12:]))
			end := unix.SizeofInotifyEvent + length
			if end > len(part) {
				break
			}
			if mask&unix.IN_Q_OVERFLOW != 0 {
				all = true
				f.lose()
			} else if name, ours := f.world.Lessons(text(part[unix.SizeofInotifyEvent:end])); ours {
				entries[name] = true
			}
			part = part[end:]
		}
	}
}

// text is what comes before the first zero byte.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

// look finds out which namespaces there are, gives ids to new ones, and notes the names that have changed and the
// entries of /run/netns that were made or removed.
func (f *Feed) look(entries map[string]bool) {
	_ = f.world.PlainNew() // a namespace may be gone again, and one that keeps what it has inherited works all the same
	inodes, err := f.world.Inodes()
	if err != nil {
		f.fail(err)
		return
	}
	inodes[state.Host] = 0
	if k, ok := f.names[state.Host]; ok {
		inodes[state.Host] = k.inode
	}
	changed := entries
	maps.Copy(changed, f.parted)
	clear(f.parted)
	for name := range f.names {
		if _, there := inodes[name]; !there {
			delete(f.names, name)
			changed[name] = true
		}
	}
	for name, inode := range inodes {
		k, there := f.names[name]
		if there && inode != 0 && k.inode == inode {
			continue
		}
		now, err := f.identify(name)
		switch {
		case errors.Is(err, errGone):
			if there {
				delete(f.names, name)
				changed[name] = true
			}
		case err != nil:
			f.fail(err)
			return
		case now != k || !there:
			f.names[name] = now
			changed[name] = true
		}
	}
	clear(f.by)
	for name, k := range f.names {
		f.by[k.id] = append(f.by[k.id], name)
	}
	if len(changed) == 0 {
		return
	}
	f.mu.Lock()
	for name := range changed {
		f.pending.Note(name, changes.Names)
	}
	f.added(changes.Names)
	f.mu.Unlock()
	f.stir()
}

// errGone is for a name behind which there is no namespace of the lab.
var errGone = errors.New("there is no such namespace")

// identify opens the namespace behind a name for a moment.
func (f *Feed) identify(name string) (known, error) {
	h, err := f.world.Open(name)
	switch {
	case err == nil:
	case netns.Undecided(err):
		return known{}, err
	default: // whatever a link of a program leads to
		return known{}, errGone
	}
	defer h.Close()
	id, err := f.ask.idOf(h)
	if err != nil {
		return known{}, fmt.Errorf("give %s an id: %w", name, err)
	}
	return known{h.Inode(), id}, nil
}

// forget forgets the namespace that has ended: its id and its inode may soon be those of another one.
func (f *Feed) forget(m message) (look bool) {
	const header = 4 // struct rtgenmsg and its padding
	if len(m.body) < header {
		return false
	}
	data, ok := attribute(m.body[header:], unix.NETNSA_NSID)
	if !ok || len(data) != 4 {
		return false
	}
	ended := int(int32(native.Uint32(data)))
	for name, k := range f.names {
		if k.id == ended {
			delete(f.names, name)
			f.parted[name], look = true, true
		}
	}
	return look
}

// asker is a socket in the observer's namespace, for one request at a time.
type asker struct {
	fd  int
	seq uint32
}

func newAsker() (*asker, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	return &asker{fd: fd}, nil
}

func (a *asker) close() { unix.Close(a.fd) }

// idOf is the observer's id for a namespace, which it gets if it has none.
func (a *asker) idOf(h netns.Handle) (int, error) {
	for range 2 {
		id, err := a.id(h)
		if err != nil || id >= 0 {
			return id, err
		}
		// The kernel chooses an id (NETNSA_NSID -1). EEXIST: it has one by now.
		_, err = a.request(unix.RTM_NEWNSID, unix.NLM_F_ACK, h, withID(unix.NETNSA_NSID_NOT_ASSIGNED))
		if err != nil && err != unix.EEXIST {
			return 0, err
		}
	}
	return 0, errors.New("the kernel gives it none")
}

// id is the observer's id for a namespace, negative if it has none.
func (a *asker) id(h netns.Handle) (int, error) {
	answer, err := a.request(unix.RTM_GETNSID, 0, h, nil)
	if err == unix.ENOENT {
		return unix.NETNSA_NSID_NOT_ASSIGNED, nil
	}
	if err != nil {
		return 0, err
	}
	data, ok := attribute(answer, unix.NETNSA_NSID)
	if !ok || len(data) != 4 {
		return 0, errors.New("the kernel's answer has no id")
	}
	return int(int32(native.Uint32(data))), nil
}

func withID(id int32) []byte {
	return append(native.AppendUint16(native.AppendUint16(nil, 8), unix.NETNSA_NSID), native.AppendUint32(nil,
		uint32(id))...)
}

// request asks about a namespace and returns the attributes of the answer.
func (a *asker) request(kind, flags uint16, h netns.Handle, more []byte) (answer []byte, err error) {
	const header = unix.NLMSG_HDRLEN + 4
	a.seq++
	b := make([]byte, header, 64)
	b = native.AppendUint16(native.AppendUint16(b, 8), unix.NETNSA_FD)
	b = native.AppendUint32(b, uint32(h.FD()))
	b = append(b, more...)
	native.PutUint32(b, uint32(len(b)))
	native.PutUint16(b[4:], kind)
	native.PutUint16(b[6:], unix.NLM_F_REQUEST|flags)
	native.PutUint32(b[8:], a.seq)
	if err := unix.Sendto(a.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return nil, err
	}
	buffer := make([]byte, 4096)
	for {
		n, _, err := unix.Recvfrom(a.fd, buffer, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n < header || native.Uint32(buffer[8:]) != a.seq {
			continue
		}
		if native.Uint16(buffer[4:]) == unix.NLMSG_ERROR {
			if errno := int32(native.Uint32(buffer[unix.NLMSG_HDRLEN:])); errno != 0 {
				return nil, unix.Errno(-errno)
			}
			return nil, nil
		}
		return buffer[header:n], nil
	}
}
