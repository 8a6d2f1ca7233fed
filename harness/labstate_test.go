package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLabStateFolders: wherever the state folder is, a lab keeps its progress there and is reached from another
// terminal, and goes on the next time.
func TestLabStateFolders(t *testing.T) {
	for name, folder := range map[string]struct{ set, is string }{
		"missing":         {"$HOME/a/b", "$HOME/a/b"},
		"relative":        {"here", "$HOME/.local/state"}, // to be ignored
		"blanks and more": {"$HOME/my 'state' $(x) *", "$HOME/my 'state' $(x) *"},
		"very long":       {"$HOME/" + strings.Repeat("long", 40), "$HOME/" + strings.Repeat("long", 40)},
		"with a dot":      {"$HOME/./x/../y", "$HOME/y"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachLearner(t, func(t *testing.T, uid int) {
				needPrograms(t, "bash")
				needPrograms(t, "ip")
				home := t.TempDir()
				if err := os.Chown(home, uid, uid); err != nil {
					t.Fatal(err)
				}
				openTo(t, home)
				in := func(path string) string { return strings.ReplaceAll(path, "$HOME", home) }
				sits := func(args ...string) *learner {
					return sitsWith(t, uid, home, []string{"XDG_STATE_HOME=" + in(folder.set)}, args...)
				}
				l := sits("lab", "start", "veth-pair")
				l.expects(prompt)
				l.says("ip netns add testns; ip netns add prodns", `step 1 of 7: .* is done`)
				l.expects(prompt)
				other := sits("lab", "check")
				other.expects(`✓ namespace .prodns. exists`)
				if status := other.ends(); status != 0 {
					t.Errorf("from another terminal: status %d", status)
				}
				l.types("exit\n")
				l.ends()
				if strings.Contains(l.all(), "harness:") {
					t.Errorf("it warns:\n%s", l.all())
				}
				path := filepath.Join(in(folder.is), "netnscheck/labs/veth-pair/progress.json")
				if _, err := os.Stat(path); err != nil {
					t.Error(err)
				}
				again := sits("lab", "start", "veth-pair")
				again.expects(`Step 2 of 7`)
				again.expects(prompt)
				again.types("exit\n")
				again.ends()
				if _, err := os.Stat(filepath.Join(home, "here")); err == nil {
					t.Error("a relative folder was made")
				}
			})
		})
	}
}

// TestLabOnAFullDisk: where nothing more can be kept a lab works all the same, and says so when it ends.
func TestLabOnAFullDisk(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "bash")
	needPrograms(t, "ip")
	home := t.TempDir()
	l := &learner{TB: t, more: make(chan struct{})}
	cmd := command(t, home, "lab", "start", "veth-pair")
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_STATE_HOME="+home, "XDG_RUNTIME_DIR=", "TERM=xterm",
		"SHELL=/bin/bash", "LC_ALL=C.UTF-8", "NO_COLOR=1")
	l.begins(through(t, cmd, "mount -t tmpfs -o size=64k none "+home+"; cd "+home+"; cat /dev/zero >filler || true"),
		os.Geteuid())
	l.expects(prompt)
	l.says("ip netns add testns; ip netns add prodns", `step 1 of 7: .* is done`)
	l.expects(prompt)
	l.types("exit\n")
	l.expects(`harness: save the progress of veth-pair: .*no space left on device`)
	if status := l.ends(); status == 0 {
		t.Error("status 0")
	}
}

// TestLabBrokenProgress: a damaged progress file is set aside with a message, and the lab begins anew.
func TestLabBrokenProgress(t *testing.T) {
	eachLearner(t, func(t *testing.T, uid int) {
		needPrograms(t, "bash")
		needPrograms(t, "ip")
		l := sits(t, uid, "lab", "start", "veth-pair")
		l.expects(prompt)
		l.says("ip netns add testns; ip netns add prodns", `step 1 of 7: .* is done`)
		l.expects(prompt)
		l.types("exit\n")
		l.ends()
		path := filepath.Join(l.cmd.Dir, ".local/state/netnscheck/labs/veth-pair/progress.json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, broken := range map[string]string{"half": string(text[:len(text)/2]), "empty": "",
			"edited": strings.Replace(string(text), "testns", "restns", 1)} {
			if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
				t.Fatal(err)
			}
			again := l.joins(t, uid, "lab", "start", "veth-pair")
			again.expects(`It is now in .*progress\.json\.broken-[0-9TZ]+(-[0-9]+)?, and the lab begins anew`)
			again.expects(`Step 1 of 7`)
			again.expects(prompt)
			again.types("exit\n")
			if status := again.ends(); status != 0 {
				t.Errorf("%s: status %d", name, status)
			}
		}
		if aside, _ := filepath.Glob(path + ".broken-*"); len(aside) != 3 {
			t.Errorf("set aside: %q", aside)
		}
	})
}
