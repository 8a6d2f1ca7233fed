package features

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func table() *Table {
	t := &Table{}
	add := func(k Kernel, found map[string]string) {
		for _, name := range []string{"veth", "netkit", "nowhere", "odd"} {
			t.Add(k, name, found[name] == "yes", found[name] == "?")
		}
	}
	add(Kernel{"5.10", "5.10.0-46-amd64"}, map[string]string{"veth": "yes", "odd": "yes"})
	add(Kernel{"6.12", "6.12.118-amd64"}, map[string]string{"veth": "yes", "netkit": "yes", "odd": "?"})
	add(Kernel{"newest", "7.3.4-amd64"}, map[string]string{"veth": "yes"})
	return t
}

func TestTextReadsBack(t *testing.T) {
	want := table()
	want.Gone = map[string]Gone{"netkit": {"7.2", "it was a mistake"}}
	text, err := want.Text()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", text)
	got, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestVanished(t *testing.T) {
	want := []string{"netkit: 6.12 (6.12.118-amd64) has it, newest (7.3.4-amd64) lacks it",
		"odd: 5.10 (5.10.0-46-amd64) has it, newest (7.3.4-amd64) lacks it"}
	if diff := cmp.Diff(want, table().Vanished(strings.Compare)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	gone := table()
	gone.Gone = map[string]Gone{"netkit": {"7.2", "it was a mistake"}, "odd": {"8.0", "it is to go"},
		"veth": {"7.2", "everybody has netkit"}}
	want = []string{want[1], "veth: it is said to be gone since 7.2, and newest (7.3.4-amd64) has it"}
	if diff := cmp.Diff(want, gone.Vanished(strings.Compare)); diff != "" {
		t.Errorf("with some gone: -want +got:\n%s", diff)
	}
}

func TestLost(t *testing.T) {
	before, now := table(), &Table{}
	now.Add(Kernel{"5.10", "5.10.0-47-amd64"}, "veth", false, false)
	now.Add(Kernel{"6.12", "6.12.119-amd64"}, "veth", false, true)
	want := []string{"veth: 5.10 had it as 5.10.0-46-amd64, and lacks it as 5.10.0-47-amd64"}
	if diff := cmp.Diff(want, now.Lost(before, strings.Compare)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	now.Gone = map[string]Gone{"veth": {"5.10.0-47", "everybody has netkit"}}
	if lost := now.Lost(before, strings.Compare); len(lost) > 0 {
		t.Errorf("gone on purpose, and told: %q", lost)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("kernels:\n  5.10: x\nfeatures:\n  veth: [5.10]\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := Parse([]byte(text))
		if (err == nil) == (table == nil) {
			t.Errorf("a table %v with the error %v", table, err)
		}
	})
}
