// Package observe reads the kernel: it makes a state.State of the namespaces of a lab or of a machine in one sweep,
// reads counters and sysctls, and settles links. It may be imported by lab; it imports state and internal/netns, it
// changes nothing but what reading itself changes (namespace ids come to be, link-watch work is done early), and it
// never goes through the driver under test: it speaks netlink itself, on sockets that it closes before it returns.
package observe

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// Lab reads the state of all namespaces of a lab, the host first, then by name. A namespace that goes away meanwhile is
// left out. Every part of it is a true moment, but not all parts are of the same one.
func Lab(ctx context.Context, w *netns.World, o Options) (*state.State, error) {
	for again := range patience {
		names, others, err := w.Entries()
		if err != nil {
			return nil, fmt.Errorf("observe lab %s: %w", w.ID(), err)
		}
		s, dangling, err := sweep(ctx, append([]string{netns.Host}, names...), w.Do, o)
		// A link may have come between two namespaces' turns; a tunnel whose lower device was deleted dangles for good.
		if errors.Is(err, errVanished) || err == nil && dangling && again < 10 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("observe lab %s: %w", w.ID(), err)
		}
		setStrays(s, w.Strays(others))
		return s, nil
	}
	return nil, fmt.Errorf("observe lab %s: namespaces come and go all the time", w.ID())
}

// enterer runs a function on a thread in the namespace with that name.
type enterer func(name string, f func() error) error

// errVanished says that a namespace was gone before it could be entered, errForbidden that we may not enter it.
var (
	errVanished  = errors.New("namespace is gone")
	errForbidden = errors.New("no permission to enter the namespace")
)

// inside runs f in the namespace. Its error is errVanished when there is no such namespace any more.
func inside(do enterer, name string, f func() error) error {
	entered := false
	err := do(name, func() error {
		entered = true
		return f()
	})
	switch {
	case entered:
		return err
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%s: %w", name, errVanished)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("%s: %w: %w", name, errForbidden, err)
	}
	return err
}

// sweep reads the namespaces with these names. dangling is that of resolvePeers.
func sweep(ctx context.Context, names []string, do enterer, o Options) (s *state.State, dangling bool, err error) {
	all := make([]*reading, len(names))
	defer func() { closeAll(all) }()
	for i, name := range names {
		all[i] = &reading{Namespace: state.Namespace{Name: name}, do: do, options: o}
	}
	for _, err := range takeAll(ctx, all) {
		if err != nil {
			return nil, false, err
		}
	}
	return conclude(all)
}

// sideBySide is how many namespaces are read at a time. A reading waits more than it works: for the lock of rtnetlink,
// which is one for all namespaces and which whoever moves or deletes a link holds for milliseconds.
const sideBySide = 16

// takeAll reads the namespaces, and returns for each what went wrong. The caller closes the readings.
func takeAll(ctx context.Context, all []*reading) []error {
	errs := make([]error, len(all))
	places := make(chan struct{}, sideBySide)
	var together sync.WaitGroup
	for i, r := range all {
		together.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			errs[i] = r.take(ctx)
		})
	}
	together.Wait()
	return errs
}

// conclude makes a state of the namespaces that were read. dangling is that of resolvePeers.
func conclude(all []*reading) (s *state.State, dangling bool, err error) {
	if dangling, err = resolvePeers(all); err != nil {
		return nil, false, err
	}
	s = &state.State{Namespaces: make([]state.Namespace, 0, len(all))}
	for _, r := range all {
		s.Namespaces = append(s.Namespaces, r.finish())
	}
	return s, dangling, nil
}

func closeAll(all []*reading) {
	for _, r := range all {
		r.close()
	}
}
