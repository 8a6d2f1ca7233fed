// Package observe reads the state of the kernel: it makes a snapshot, a state.State, of the namespaces of a lab or a
// machine, reads counters, sysctls and events, and settles links. It may be imported by lab and by the other packages
// under internal, and of this project imports state and internal/netns. It changes nothing, except that reading makes
// the kernel assign namespace ids and run link-watch work early. It never uses the driver under test: it has its own
// netlink sockets.
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

// Lab reads the state of all namespaces of a lab, the host first, then by name. A namespace that is deleted meanwhile
// is left out. Each part of the state is consistent, but the parts are read at different moments.
func Lab(ctx context.Context, w *netns.World, o Options) (*state.State, error) {
	for again := range patience {
		names, others, err := w.Entries()
		if err != nil {
			return nil, fmt.Errorf("observe lab %s: %w", w.ID(), err)
		}
		s, dangling, err := sweep(ctx, append([]string{netns.Host}, names...), w.Do, o)
		// A link may have been added between the readings of two namespaces; but a tunnel whose lower device was
		// deleted dangles for good.
		if errors.Is(err, errVanished) || err == nil && dangling && again < 10 {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("observe lab %s: %w", w.ID(), err)
		}
		setStrays(s, w.Strays(others))
		return s, nil
	}
	return nil, fmt.Errorf("observe lab %s: namespaces keep changing", w.ID())
}

// enterer runs a function on a thread in the namespace with this name.
type enterer func(name string, f func() error) error

// errVanished is for a namespace that was deleted before it could be entered, errForbidden for one that may not be
// entered.
var (
	errVanished  = errors.New("namespace is gone")
	errForbidden = errors.New("no permission to enter the namespace")
)

// inside runs f in the namespace. The error wraps errVanished if the namespace no longer exists.
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

// sweep reads the namespaces with these names. For dangling see resolvePeers.
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

// sideBySide is how many namespaces are read in parallel. A reading mostly waits for the lock of rtnetlink, which all
// namespaces share and which is held for milliseconds while a link is moved or deleted.
const sideBySide = 16

// takeAll reads the namespaces and returns one error for each. The caller closes the readings.
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

// conclude makes a state of the namespaces that were read. For dangling see resolvePeers.
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
