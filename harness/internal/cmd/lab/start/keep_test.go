package start

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"netnscheck/harness/internal/session/store"
	"netnscheck/harness/internal/session/wire"
	"netnscheck/harness/scenario"
	"netnscheck/harness/sitting"
	"netnscheck/harness/sitting/progress"
)

// kept is a keeper of a lab that has begun, and the folder of its files.
func kept(t *testing.T) (*keeper, string) {
	t.Helper()
	sc, err := scenario.Parse("t.md", []byte("---\nid: t\n---\n# T\n\n## S\n\n- [ ] namespace `a` exists\n"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s, err := store.Open(func(name string) string { return map[string]string{"XDG_STATE_HOME": dir}[name] })
	if err != nil {
		t.Fatal(err)
	}
	k, notes, err := keeperOf(s, "t")
	if err != nil || len(notes) > 0 {
		t.Fatal(notes, err)
	}
	k.file, k.unsaved = progress.New(sc, time.Now()), true
	return k, filepath.Join(dir, "netnscheck/labs/t")
}

// ran is the work of a command.
func ran(line string) wire.Work {
	return wire.Work{Entry: &progress.Entry{Step: 1, Terminal: 1, Line: line}, Past: make([]sitting.Past, 1)}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestKeeper: everything that was done is saved at the end, however fast it came.
func TestKeeper(t *testing.T) {
	k, dir := kept(t)
	k.begun()
	for range 100 {
		k.work(ran("ip netns add a"))
	}
	if err := k.close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(read(t, dir+"/progress.json"), "ip netns add a"); n != 100 {
		t.Errorf("%d commands were kept", n)
	}
	if n := strings.Count(read(t, dir+"/history"), "\n"); n != 100 {
		t.Errorf("the history has %d commands", n)
	}
}

// TestKeeperOfADiskThatWasFull: what could not be saved at first and is saved later is no error.
func TestKeeperOfADiskThatWasFull(t *testing.T) {
	k, dir := kept(t)
	if err := os.Rename(dir, dir+".aside"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k.work(ran("ip netns add a"))
	k.save()
	if k.lost == nil || k.lostHistory == nil {
		t.Fatalf("nothing was lost: %v, %v", k.lost, k.lostHistory)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	k.work(wire.Work{Past: make([]sitting.Past, 1)})
	k.save()
	if err := k.close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(read(t, dir+"/progress.json"), "ip netns add a") ||
		read(t, dir+"/history") != "ip netns add a\n" {
		t.Error("it was not saved later")
	}
}
