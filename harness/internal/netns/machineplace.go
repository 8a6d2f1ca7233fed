package netns

import (
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
)

// Machine are the namespaces of this machine, under the names that a state of it has: host for the caller's own, pid:N
// for that of a process, else a name in /run/netns. Whatever runs in one of them runs on a thread that ends with it.
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

// Go is Do: its thread is nobody else's, so f may block.
func (m Machine) Go(name string, f func() error) error { return m.Do(name, f) }

// Netlink opens an rtnetlink handle in the namespace. The caller closes it.
func (m Machine) Netlink(name string) (*netlink.Handle, error) {
	return openNetlink(name, func(f func() error) error { return m.Do(name, f) })
}
