package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"netnscheck/harness/term"
)

// hiding hides programs in a mount namespace of its own.
func hiding(names ...string) string {
	var paths []string
	for _, name := range names {
		for _, dir := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"} {
			paths = append(paths, dir+"/"+name)
		}
	}
	return "for f in " + strings.Join(paths, " ") + "; do [ ! -e $f ] || mount --bind /dev/null $f; done"
}

// TestDoctorOfALab: one screen says whether this machine can do a lab, and what to do if it cannot.
func TestDoctorOfALab(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "ip")
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	dir := t.TempDir()
	harness(t, dir, "doctor", "--lab", "veth-pair").want(t, 0, "This machine can do the lab veth-pair.", "✓ sandbox",
		"✓ veth", "✓ ip", "✓ progress  "+os.Getenv("XDG_STATE_HOME"), "harness lab start veth-pair\n")
	harness(t, dir, "doctor", "--lab", "veth-piar").want(t, 2, "did you mean veth-pair?")
	var found struct {
		Lab string
		Can bool
	}
	c := harness(t, dir, "doctor", "--lab", "veth-pair", "--json")
	if err := json.Unmarshal([]byte(c.stdout), &found); err != nil || !found.Can || found.Lab != "veth-pair" {
		t.Errorf("%v: %s", err, c.stdout)
	}
	t.Run("without user namespaces", func(t *testing.T) {
		forbid := "echo 0 > /proc/sys/user/max_user_namespaces"
		c := unshared(t, dir, []string{"-U", "--map-user=1000", "--keep-caps"}, forbid, "doctor", "--lab", "veth-pair")
		c.want(t, 3, "This machine cannot do the lab veth-pair as it is.", "✗ sandbox", "user.max_user_namespaces is 0",
			"as root: sysctl -w user.max_user_namespaces=16384\n", "? veth      it could not be tried")
		for line := range strings.Lines(c.stdout) {
			if strings.Contains(line, "--sandbox=off") || strings.Contains(line, "sudo") {
				t.Errorf("it advises what does not help: %s", line)
			}
		}
	})
	t.Run("without iproute2", func(t *testing.T) {
		unshared(t, dir, ownMounts(), hiding("ip"), "doctor", "--lab", "veth-pair").want(t, 3, "✗ ip", "not installed",
			"To install what is missing, ", "iproute")
	})
	t.Run("without a place for progress", func(t *testing.T) {
		t.Setenv("XDG_STATE_HOME", "/proc/no")
		harness(t, dir, "doctor", "--lab", "veth-pair").want(t, 0, "but will forget what you did", "✗ progress",
			"set XDG_STATE_HOME")
	})
}

// TestCourseSaysWhatCannotBeDone: labs that this machine cannot do are marked, and are not the next one.
func TestCourseSaysWhatCannotBeDone(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "ip")
	needPrograms(t, "nft")
	needPrograms(t, "busybox") // for the lab that comes next
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	c := unshared(t, t.TempDir(), ownMounts(), hiding("nft"), "list", "--course")
	c.want(t, 0, "✗ nftables ", "\n  veth-pair ", "not to be done on this machine: ",
		"nft: the program is not installed",
		"harness doctor --lab ", "harness lab start loopback\n")
	c = unshared(t, t.TempDir(), ownMounts(), hiding("ip"), "lab", "start")
	c.want(t, 0, "✗ veth-pair ", "none of them (ip: the program is not installed)")
	if strings.Contains(c.stdout, "Next:") || strings.Contains(c.stdout, "All are finished") {
		t.Errorf("there is a next lab:\n%s", c.stdout)
	}
}

// TestCourseOfAFolder: `lab start` with a folder of several scenarios lists them, with the next one.
func TestCourseOfAFolder(t *testing.T) {
	needSandbox(t)
	needPrograms(t, "ip")
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	dir := write(t, map[string]string{
		"my labs/one.md": strings.Replace(varied, "# Variables", "# The first", 1),
		"my labs/two.md": "# The second\n\n## Look\n\n- [x] `host` has only the interfaces `lo`\n",
		"facts/facts.md": "---\nkind: conformance\n---\n# Facts\n\n## Look\n\n- [x] `host` has only the " +
			"interfaces `lo`\n",
		"facts/facts-2.md": "---\nkind: conformance\n---\n# Facts\n\n## Look\n\n- [x] `host` has only the " +
			"interfaces `lo`\n",
	})
	c := harness(t, dir, "lab", "start", "my labs")
	c.want(t, 0, "The course in my labs: 0 of 2 labs are finished.", "one ", "The second",
		"harness lab start 'my labs/one.md'\n")
	for line := range strings.Lines(c.stdout) {
		if n := term.Width(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	harness(t, dir, "lab", "start", "my labs", "--fresh").want(t, 2, "my labs has 2 scenarios: name one")
	harness(t, dir, "lab", "start", "facts").want(t, 2, "there is no lesson or challenge in it")
	needPrograms(t, "bash")
	l := sitsAt(t, os.Geteuid(), dir, "lab", "start", "my labs/one.md")
	l.expects(`\[one\] ~ # `)
	l.says("ip netns add red", `is done`)
	l.expects(`\[one\] ~ # `)
	l.leaves()
	next := sitsAt(t, os.Geteuid(), dir, "lab", "start", filepath.Join(dir, "my labs"))
	next.expects(`1 of 2 labs are\s+finished`)
	next.expects(`✓ one .*1/1`)
	next.expects(`Next:  .*harness lab start\s+'.*my labs/two\.md'`)
	next.ends()
}
