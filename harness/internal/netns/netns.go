// Package netns makes, opens, enters and removes network namespaces; it is the only place of the project that calls
// setns(2) or unshare(2) for a lab. It may be imported by lab and by the other packages under internal; it imports
// nothing of this project, and it never enters a namespace on a thread that somebody else uses afterwards.
package netns

import (
	"os/exec"

	"github.com/vishvananda/netlink"
)

// Host is the name of a lab's own host namespace in all calls of this package.
const Host = "host"

// Options say where a World puts its namespaces.
type Options struct {
	// Shared puts them where `ip netns` of the machine shows them, each name with the lab's id as suffix, the owner
	// recorded (--sandbox=off, root). Otherwise the World has a mount namespace, a /run/netns and a /sys of its own.
	Shared bool
}

// World is the set of network namespaces of one lab and the locked OS thread from which its programs are started. That
// thread lives in the lab's host network namespace and in the lab's mount namespace.
type World struct{}

// New makes the thread, the mount namespace and the host network namespace, with lo up in it.
func New(o Options) (*World, error) { panic("being written") }

// ID is the lab's id, unique on the machine: six characters of a-z2-7.
func (w *World) ID() string { panic("being written") }

// Real is the name under which the namespace `name` of the lesson is known to programs: the same in the sandbox, with
// `-ID` behind it when Shared.
func (w *World) Real(name string) string { panic("being written") }

// Lesson takes the suffixes out of what a program printed.
func (w *World) Lesson(text string) string { panic("being written") }

// Names are the namespaces of the lab besides the host, sorted, as the lesson calls them: the mounted nsfs files in
// its /run/netns. Other files there are no namespaces and do not count.
func (w *World) Names() ([]string, error) { panic("being written") }

// Add is `ip netns add`: EEXIST when the name is there already, also as an ordinary file.
func (w *World) Add(name string) error { panic("being written") }

// Delete is `ip netns del`: ENOENT, EINVAL as the kernel says.
func (w *World) Delete(name string) error { panic("being written") }

// AddNameless makes a namespace that only the returned handle keeps alive; the World closes it at the end.
func (w *World) AddNameless() (Handle, error) { panic("being written") }

// Handle is an open namespace. While it is open the namespace lives, even if its name is deleted: hold it briefly.
type Handle struct{}

// Open opens a namespace by its name, or the host namespace.
func (w *World) Open(name string) (Handle, error) { panic("being written") }

// Inode is the number by which the kernel tells namespaces apart.
func (h Handle) Inode() uint64 { panic("being written") }

// Close closes the handle.
func (h Handle) Close() error { panic("being written") }

// Do runs f on the lab's thread inside the namespace `name`, and comes back. Do not block in f: commands and other calls
// wait meanwhile.
func (w *World) Do(name string, f func() error) error { panic("being written") }

// DoIn is Do for an open namespace.
func (w *World) DoIn(h Handle, f func() error) error { panic("being written") }

// Go runs f on a thread of its own inside the namespace `name` and in the lab's mounts, beside everything else; for what waits.
func (w *World) Go(name string, f func() error) error { panic("being written") }

// Netlink opens an rtnetlink handle (NETLINK_ROUTE alone) in the namespace. The caller closes it soon: an open socket keeps a
// namespace alive after its name is deleted.
func (w *World) Netlink(name string) (*netlink.Handle, error) { panic("being written") }

// NetlinkIn is Netlink for an open namespace.
func (w *World) NetlinkIn(h Handle) (*netlink.Handle, error) { panic("being written") }

// Start starts a program from the lab's thread in the host namespace.
func (w *World) Start(cmd *exec.Cmd) error { panic("being written") }

// StartIn starts a program in the namespace `name` as `ip netns exec` would: /sys of that namespace, the files of
// /etc/netns/NAME over those of /etc.
func (w *World) StartIn(name string, cmd *exec.Cmd) error { panic("being written") }

// Close ends the programs that still run in the lab, drops its namespaces and its thread, and waits until the kernel has
// let go of them. It returns an error that names what was left behind.
func (w *World) Close() error { panic("being written") }
