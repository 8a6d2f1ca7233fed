package netns

import (
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
)

// Machine gives access to the host's namespaces by the names that its snapshot uses: host for the caller's own, pid:N
// for that of a process, a path for one that is mounted there, otherwise a name in /run/netns. Functions run on a
// thread of their own that ends afterwards.
type Machine struct{}

func (Machine) open(name string) (Handle, error) {
	if name == Host {
		return Own()
	}
	if number, ok := strings.CutPrefix(name, "pid:"); ok {
		if pid, err := strconv.Atoi(number); err == nil {
			return OfProcess(pid)
		}
	}
	if strings.HasPrefix(name, "/") {
		return OfFile(name)
	}
	return OfName(name)
}

// Do runs f inside the namespace and waits for it.
func (m Machine) Do(name string, f func() error) error {
	h, err := m.open(name)
	if err != nil {
		return err
	}
	defer h.Close()
	return h.Do(f)
}

// Go is Do, whose f may block, since its thread is used for nothing else.
func (m Machine) Go(name string, f func() error) error { return m.Do(name, f) }

// Netlink opens an rtnetlink handle in the namespace. The caller closes it.
func (m Machine) Netlink(name string) (*netlink.Handle, error) {
	return openNetlink(name, func(f func() error) error { return m.Do(name, f) })
}
