package rtnetlink

import (
	"context"
	"fmt"
	"strings"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario/operation"
)

// Build carries out typed operations one after the other, with one socket for each namespace instead of one for each operation.
// It stops at the first that is turned down.
func (d *Driver) Build(ctx context.Context, w *netns.World, cmds []operation.Command) error {
	sessions := map[string]*session{}
	hangUp := func() {
		for ns, s := range sessions {
			s.close()
			delete(sessions, ns)
		}
	}
	defer hangUp()
	for _, c := range cmds {
		if err := d.buildOne(ctx, w, c, sessions, hangUp); err != nil {
			return fmt.Errorf("apply %q: %w", strings.Join(c.Argv(), " "), err)
		}
	}
	return nil
}

func (d *Driver) buildOne(ctx context.Context, w *netns.World, c operation.Command, sessions map[string]*session, hangUp func()) error {
	switch c.Op.(type) {
	case operation.NetnsAdd, operation.SysctlSet:
		return d.Apply(ctx, w, c)
	case operation.NetnsDelete, operation.SysctlShow, operation.Show, operation.Ping, operation.Run:
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
