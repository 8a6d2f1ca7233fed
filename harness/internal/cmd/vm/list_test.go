package vm

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"netnscheck/harness/internal/cmd/screen"
	"netnscheck/harness/internal/vm/features"
	"netnscheck/harness/internal/vm/store"
)

func TestPrintEntries(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var out bytes.Buffer
	err := printEntries(screen.Plain(&out, &out, false), []store.Entry{
		{Kind: "apt", Size: 327_000_000, Used: now.Add(-2 * time.Hour)},
		{Kind: "images", Name: "402f3b", Size: 38_000_000, Used: now.Add(-time.Minute)},
		{Kind: "kernels", Name: "6.1.0-57-amd64_6.1.192-3", Size: 112_400_000, Used: now.AddDate(0, 0, -3)},
		{Kind: "kernels", Name: "7.3.4-amd64_7.3.4-1", Used: now.Add(-5 * time.Hour)},
	}, "/home/me/.cache/netnscheck/vm", now)
	if err != nil {
		t.Fatal(err)
	}
	want := `kind     used         size    name
apt      2 hours ago  327 MB  its own files
images   now          38 MB   402f3b
kernels  3 days ago   113 MB  6.1.0-57-amd64_6.1.192-3
kernels  5 hours ago  broken  7.3.4-amd64_7.3.4-1
4 entries, 478 MB in /home/me/.cache/netnscheck/vm
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPrintFeatures(t *testing.T) {
	table := &features.Table{}
	for _, k := range []features.Kernel{{Name: "5.10", Release: "5.10.0"}, {Name: "newest", Release: "7.3.4"}} {
		table.Add(k, "veth", true, false)
		table.Add(k, "netkit", k.Name == "newest", false)
		table.Add(k, "odd", k.Name == "5.10", k.Name == "newest")
		table.Add(k, "tun", false, false)
	}
	var out bytes.Buffer
	o := &options{screen: screen.Plain(&out, &out, false)}
	if err := o.printFeatures(table); err != nil {
		t.Fatal(err)
	}
	want := `feature  5.10  newest
netkit   -     yes
odd      yes   ?
1 of 4 features everywhere, 1 nowhere, on 2 kernels
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
