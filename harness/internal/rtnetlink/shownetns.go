package rtnetlink

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario/operation"
	"netnscheck/harness/state"
)

// showNetns is `ip netns list`, `list-id`, `identify` and `pids`, run in the namespace here.
func showNetns(w *netns.World, all *state.State, here *state.Namespace, op operation.Show) (string, error) {
	switch op.Verb {
	case "identify":
		return identify(w, all, here, op.Args)
	case "pids":
		return pids(w, op.Args)
	}
	var text strings.Builder
	if op.Verb == "list-id" {
		for _, id := range here.NetnsIDs {
			fmt.Fprintf(&text, "nsid %d (iproute2 netns name: %s)\n", id.ID, id.Netns)
		}
		return text.String(), nil
	}
	for _, ns := range all.Namespaces {
		if ns.Name == netns.Host {
			continue
		}
		i := slices.IndexFunc(here.NetnsIDs, func(id state.NetnsID) bool { return id.Netns == ns.Name })
		if i < 0 {
			fmt.Fprintln(&text, ns.Name)
		} else {
			fmt.Fprintf(&text, "%s (id: %d)\n", ns.Name, here.NetnsIDs[i].ID)
		}
	}
	return text.String(), nil
}

// knowsIDs asks the kernel for the ids that `ip netns list-id nsid ID target-nsid ID` names.
func (s *session) knowsIDs(args []string) error {
	for i := 0; i+1 < len(args); i += 2 {
		id, err := strconv.ParseInt(args[i+1], 0, 32)
		if err != nil {
			return wrong("argument %q is wrong: the id is invalid", args[i+1])
		}
		m := s.request(unix.RTM_GETNSID, 0, noHeader{})
		m.Flags &^= unix.NLM_F_ACK
		m.put(unix.NETNSA_NSID, nl.Uint32Attr(uint32(int32(id))))
		if _, err := m.ask(unix.RTM_NEWNSID); err != nil {
			return err
		}
	}
	return nil
}

// identify is the name of a process's namespace, by default that of the command itself.
func identify(w *netns.World, all *state.State, here *state.Namespace, args []string) (string, error) {
	inode := here.Inode
	if len(args) > 0 && args[0] != "self" {
		pid, err := strconv.ParseUint(args[0], 10, 31)
		if err != nil {
			return "", &Refused{Status: 1, Message: fmt.Sprintf("Specified string '%s' is not a pid", args[0])}
		}
		if inode, err = w.InodeOf(int(pid)); err != nil {
			return "", refuse(1, err, "Stat of netns of process %s failed", args[0])
		}
	}
	for _, ns := range all.Namespaces {
		if ns.Inode == inode && ns.Name != netns.Host {
			return ns.Name + "\n", nil
		}
	}
	return "", nil
}

// pids lists the processes whose main thread is in the namespace.
func pids(w *netns.World, args []string) (string, error) {
	h, err := openNetns(w, args[0])
	if err != nil {
		return "", refuse(1, err, "Cannot open network namespace")
	}
	defer h.Close()
	inside, err := w.Processes(h.Inode())
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, pid := range inside {
		fmt.Fprintln(&text, pid)
	}
	return text.String(), nil
}
