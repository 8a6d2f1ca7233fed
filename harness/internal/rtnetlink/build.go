package rtnetlink

import (
	"context"
	"fmt"
	"strings"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario/operation"
)

// Build applies typed operations in order, with one socket for each namespace instead of one for each operation. It
// stops at the first refusal.
func (d *Driver) Build(ctx context.Context, w *netns.World, cmds []operation.Command) error {
	sessions := map[string]*session{}
	hangUp := func() {
		for ns, s := range sessions {
			s.close()
			delete(sessions, ns)
		}
	}
	defer hangUp()
	for len(cmds) > 0 {
		done, err := d.buildNext(ctx, w, cmds, sessions, hangUp)
		if err != nil {
			return fmt.Errorf("apply %q: %w", strings.Join(cmds[done].Argv(), " "), err)
		}
		cmds = cmds[done:]
	}
	return nil
}

// buildNext applies the first operation, or all leading ones that add namespaces, and returns how many it has applied.
func (d *Driver) buildNext(ctx context.Context, w *netns.World, cmds []operation.Command, sessions map[string]*session,
	hangUp func(),
) (done int, err error) {
	if names := leadingAdds(cmds); len(names) > 0 {
		if err := context.Cause(ctx); err != nil {
			return 0, err
		}
		return addAllNetns(w, names)
	}
	if err := d.buildOne(ctx, w, cmds[0], sessions, hangUp); err != nil {
		return 0, err
	}
	return 1, nil
}

// mostAdds is how many namespaces are added at once: the helper of a sandbox has to answer in time.
const mostAdds = 100

// leadingAdds are the names of the namespaces added by the operations at the front of cmds.
func leadingAdds(cmds []operation.Command) (names []string) {
	for _, c := range cmds[:min(len(cmds), mostAdds)] {
		add, ok := c.Op.(operation.NetnsAdd)
		if !ok || sayable(c) != nil {
			break
		}
		names = append(names, add.Name)
	}
	return names
}

func (d *Driver) buildOne(ctx context.Context, w *netns.World, c operation.Command, sessions map[string]*session,
	hangUp func()) error {
	switch c.Op.(type) {
	case operation.NetnsAdd, operation.SysctlSet:
		return d.Apply(ctx, w, c)
	case operation.NetnsDelete, operation.NetnsDeleteAll, operation.NetnsExecAll, operation.Batch, operation.SysctlShow,
		operation.Show, operation.Ping, operation.Run:
		hangUp() // an open socket would keep a deleted namespace alive
		return d.Apply(ctx, w, c)
	}
	s := sessions[c.Netns]
	if s == nil {
		var err error
		if s, err = dial(w, c.Netns); err != nil {
			return err
		}
		sessions[c.Netns] = s
	}
	return s.apply(c.Op)
}
