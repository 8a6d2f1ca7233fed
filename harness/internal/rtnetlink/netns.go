package rtnetlink

import (
	"fmt"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario/operation"
)

func addNetns(w *netns.World, op operation.NetnsAdd) error {
	_, err := addAllNetns(w, []string{op.Name})
	return err
}

// addAllNetns adds namespaces until one is refused, and returns how many it has added.
func addAllNetns(w *netns.World, names []string) (added int, err error) {
	if added, err = w.AddAll(names...); err != nil {
		return added, refuse(1, err, "Cannot create namespace file %q", "/run/netns/"+names[added])
	}
	return added, nil
}

func deleteNetns(w *netns.World, op operation.NetnsDelete) error {
	if err := w.Delete(op.Name); err != nil {
		return refuse(1, err, "Cannot remove namespace file %q", "/run/netns/"+op.Name)
	}
	return nil
}

// noHeader is a struct rtgenmsg with family AF_UNSPEC.
type noHeader struct{}

func (noHeader) Len() int          { return 4 }
func (noHeader) Serialize() []byte { return make([]byte, 4) }

// setNetns sets the id by which the session's namespace knows another namespace.
func (s *session) setNetns(op operation.NetnsSet) error {
	h, err := openNetns(s.w, op.Name)
	if err != nil {
		return err
	}
	defer h.Close()
	id := int32(op.ID)
	if op.Auto {
		id = -1
	}
	m := s.request(unix.RTM_NEWNSID, 0, noHeader{})
	m.put(unix.NETNSA_FD, nl.Uint32Attr(uint32(h.FD())))
	m.put(unix.NETNSA_NSID, nl.Uint32Attr(uint32(id)))
	if err := m.send(); err != nil {
		return fmt.Errorf("set the id of namespace %s: %w", op.Name, err)
	}
	return nil
}

// idOf is the id by which the session's namespace knows another one. Without one the kernel chooses it.
func (s *session) idOf(name string) (int, error) {
	id, err := s.askID(name)
	if err == nil && id < 0 {
		if err = s.setNetns(operation.NetnsSet{Name: name, Auto: true}); err == nil {
			id, err = s.askID(name)
		}
	}
	if err != nil || id < 0 {
		return 0, wrong("argument %q is wrong: Invalid \"link-netns\" value", name)
	}
	return id, nil
}

// askID is the id of a namespace, negative if it has none.
func (s *session) askID(name string) (int, error) {
	h, err := openNetns(s.w, name)
	if err != nil {
		return 0, err
	}
	defer h.Close()
	m := s.request(unix.RTM_GETNSID, 0, noHeader{})
	m.Flags &^= unix.NLM_F_ACK
	m.put(unix.NETNSA_FD, nl.Uint32Attr(uint32(h.FD())))
	msgs, err := m.ask(unix.RTM_NEWNSID)
	if err != nil || len(msgs) != 1 {
		return -1, err
	}
	attrs, err := attributes(msgs[0], noHeader{}.Len())
	return int(int32(number(attrs[unix.NETNSA_NSID]))), err
}
