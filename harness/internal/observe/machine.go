package observe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// MachineOptions select the namespaces to read in addition to the caller's own and those with a name.
type MachineOptions struct {
	// All adds the namespaces of all processes that may be inspected, and those that are mounted on files elsewhere.
	All bool
	// PIDs adds the namespaces of these processes, Files those that are mounted on these absolute paths.
	PIDs  []int
	Files []string
	// Filters adds the packet filters and the connections that they know.
	Filters bool
}

// Machine reads the namespaces of this machine: the caller's own as `host`, those in /run/netns by name, others as
// `pid:N` with the lowest process id, those that a file alone keeps by its path. It sends no packets. Its only trace
// are namespace ids (ip netns list-id), which the kernel assigns when a link with a peer in another namespace is read.
// A namespace that may not be entered has just a name and an entry in Unread; one that is deleted meanwhile is left
// out.
func Machine(ctx context.Context, o MachineOptions) (*state.State, error) {
	for again := range patience {
		s, dangling, err := machine(ctx, o)
		if errors.Is(err, errVanished) || err == nil && dangling && again < 10 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("observe this machine: %w", err)
		}
		return s, nil
	}
	return nil, errors.New("observe this machine: namespaces keep changing")
}

func machine(ctx context.Context, o MachineOptions) (s *state.State, dangling bool, err error) {
	t := &targets{of: map[uint64]*target{}}
	defer t.close()
	if err := t.find(o); err != nil {
		return nil, false, err
	}
	var all []*reading
	defer func() { closeAll(all) }()
	var open []*target
	for _, at := range t.list {
		if !at.closed {
			open = append(open, at)
			all = append(all, &reading{Namespace: at.Namespace, do: at.do, options: Options{Filters: o.Filters}})
		}
	}
	if err := all[0].begin(); err != nil { // the caller's own namespace is that of this thread
		return nil, false, err
	}
	var read []*reading
	for i, err := range takeAll(ctx, all) {
		switch {
		case errors.Is(err, errForbidden):
			open[i].forbid()
		case err != nil:
			return nil, false, err
		default:
			read = append(read, all[i])
		}
	}
	if s, dangling, err = conclude(read); err != nil {
		return nil, false, err
	}
	told := s.Namespaces
	s.Namespaces = make([]state.Namespace, 0, len(t.list))
	for _, at := range t.list {
		if at.closed {
			s.Namespaces = append(s.Namespaces, at.Namespace)
			continue
		}
		s.Namespaces = append(s.Namespaces, told[0])
		told = told[1:]
	}
	setStrays(s, t.strays)
	return s, dangling, nil
}

// setStrays records the names that are not namespaces, with the kind of those that are not plain files.
func setStrays(s *state.State, strays []state.Stray) {
	for _, one := range strays {
		s.NotNamespaces = append(s.NotNamespaces, one.Name)
		if one.Kind != state.StrayFile {
			s.Strays = append(s.Strays, one)
		}
	}
}

// target is a namespace that is to be read.
type target struct {
	state.Namespace // what is known before reading
	handle          netns.Handle
	own             bool
	closed          bool // it may not be entered
}

func (t *target) do(_ string, f func() error) error {
	if t.own { // staying in a namespace needs no privilege
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		return f()
	}
	return t.handle.Do(f)
}

func (t *target) forbid() {
	t.closed = true
	t.Unread = append(t.Unread, "no permission to enter it")
}

// targets are the namespaces that are to be read. They are kept open, so that none of them is deleted meanwhile.
type targets struct {
	list   []*target
	of     map[uint64]*target // by inode
	strays []state.Stray      // names that are not namespaces
}

func (t *targets) close() {
	for _, one := range t.list {
		one.handle.Close()
	}
}

func (t *targets) find(o MachineOptions) error {
	own, err := netns.Own()
	if err != nil {
		return err
	}
	t.add(&target{Namespace: state.Namespace{Name: state.Host}, handle: own, own: true})
	if err := t.findNames(); err != nil {
		return err
	}
	if o.All {
		if err := t.findProcesses(); err != nil {
			return err
		}
		if err := t.findFiles(); err != nil {
			return err
		}
	}
	for _, pid := range o.PIDs {
		if err := t.nameless([]int{pid}); err != nil {
			return err
		}
	}
	for _, path := range o.Files {
		if err := t.addFile(path); err != nil {
			return err
		}
	}
	return nil
}

// addFile adds the namespace that is mounted on a file.
func (t *targets) addFile(path string) error {
	h, err := netns.OfFile(path)
	found := &target{Namespace: state.Namespace{Name: path, Nameless: true}, handle: h}
	switch {
	case forbidden(err):
		t.add(found).forbid()
	case err != nil:
		return err
	default:
		t.add(found)
	}
	return nil
}

// findFiles adds the namespaces that are mounted on files and not in the list yet.
func (t *targets) findFiles() error {
	files, err := netns.MachineFiles()
	if err != nil {
		return err
	}
	for _, inode := range slices.Sorted(maps.Keys(files)) {
		if t.of[inode] != nil {
			continue
		}
		// What a later mount hides, or has been taken down, is nobody's to look at.
		if err := t.addFile(files[inode]); err != nil && !gone(err) && !errors.Is(err, unix.EINVAL) {
			return err
		}
	}
	return nil
}

// add adds a namespace unless it is in the list, and returns the one in the list.
func (t *targets) add(one *target) *target {
	if known := t.of[one.handle.Inode()]; known != nil {
		one.handle.Close()
		return known
	}
	if inode := one.handle.Inode(); inode != 0 {
		t.of[inode] = one
	}
	one.Inode = one.handle.Inode()
	t.list = append(t.list, one)
	return one
}

func (t *targets) findNames() error {
	names, err := netns.MachineNames()
	if forbidden(err) {
		t.list[0].Unread = append(t.list[0].Unread, "the names of namespaces: no permission")
		return nil
	}
	if err != nil {
		return err
	}
	since := time.Now()
	for _, entry := range names {
		name := entry
		if name == state.Host {
			name = "/run/netns/" + entry // the caller's own namespace has that name in the State
		}
		h, stray, err := netns.MachineName(entry, since)
		switch {
		case stray != nil:
			t.strays = append(t.strays, *stray)
		case errors.Is(err, unix.ENOENT):
			// It has been deleted.
		case forbidden(err):
			t.add(&target{Namespace: state.Namespace{Name: name}}).forbid()
		case err != nil:
			return err
		default:
			one := t.add(&target{Namespace: state.Namespace{Name: name}, handle: h})
			if one.Name != name {
				one.OtherNames = append(one.OtherNames, entry)
			}
		}
	}
	return nil
}

// findProcesses adds the namespaces of processes that are not in the list yet.
func (t *targets) findProcesses() error {
	inside, hidden, err := netns.MachineProcesses()
	if err != nil {
		return err
	}
	if len(hidden) > 0 {
		t.list[0].Unread = append(t.list[0].Unread,
			fmt.Sprintf("the namespaces of %d processes (%d and others): no permission", len(hidden), hidden[0]))
	}
	lowest := map[int][]int{}
	for inode, pids := range inside {
		if t.of[inode] == nil {
			lowest[pids[0]] = pids
		}
	}
	for _, first := range slices.Sorted(maps.Keys(lowest)) {
		if err := t.nameless(lowest[first]); err != nil && !gone(err) {
			return err
		}
	}
	return nil
}

// nameless adds the namespace of these processes; some of them may have ended.
func (t *targets) nameless(pids []int) (err error) {
	for i, pid := range pids {
		var h netns.Handle
		if h, err = netns.OfProcess(pid); gone(err) {
			continue
		}
		found := &target{Namespace: state.Namespace{Name: fmt.Sprint("pid:", pid), Nameless: true, PIDs: pids[i:]},
			handle: h}
		if forbidden(err) {
			t.add(found).forbid()
			return nil
		}
		if err != nil {
			return err
		}
		if one := t.add(found); one != found && !slices.Contains(one.PIDs, pid) {
			one.PIDs = append(one.PIDs, pid)
		}
		return nil
	}
	return err
}

func forbidden(err error) bool { return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) }

func gone(err error) bool { return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH) }
