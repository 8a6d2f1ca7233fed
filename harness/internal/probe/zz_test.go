package probe

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/internal/sandbox"
	"netnscheck/harness/internal/observe"
)

func TestMain(m *testing.M) { os.Exit(sandbox.TestMain(m)) }

func BenchmarkParts(b *testing.B) {
	w, err := netns.New(netns.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	w.Add("a")
	ctx := context.Background()
	lo := netip.MustParseAddr("127.0.0.1")
	ns := "host"
	parts := []struct {
		n string
		f func() error
	}{
		{"names", func() error { _, e := w.Names(); return e }},
		{"go a", func() error { return w.Go("a", func() error { return nil }) }},
		{"do a", func() error { return w.Do("a", func() error { return nil }) }},
		{"netlink", func() error { h, e := w.Netlink("a"); h.Close(); return e }},
		{"lookup", func() error { _, e := Lookup(ctx, w, ns, lo, netip.Addr{}); return e }},
		{"sight", func() error { _, _, e := sight(w, ns, EchoRequest{Dest: lo}); return e }},
		{"plain", func() error { return w.Go(ns, func() error { _, e := plainEcho(ctx, EchoRequest{Dest: lo}, Window); return e }) }},
		{"raw", func() error { return w.Go(ns, func() error { _, e := rawEcho(ctx, EchoRequest{Dest: lo}, Window); return e }) }},
		{"echo", func() error { r, e := Echo(ctx, w, ns, EchoRequest{Dest: lo}); if !r.Reached { return fmt.Errorf("%v", r) }; return e }},
		{"settle", func() error { return observe.Settle(ctx, w) }},
		{"state", func() error { _, e := observe.Lab(ctx, w); return e }},
	}
	for _, p := range parts {
		var best time.Duration = time.Hour
		var sum time.Duration
		for range 50 {
			t := time.Now()
			if err := p.f(); err != nil {
				b.Fatal(p.n, err)
			}
			d := time.Since(t)
			sum += d
			best = min(best, d)
		}
		fmt.Fprintf(os.Stderr, "%-10s best %v avg %v\n", p.n, best, sum/50)
	}
}
