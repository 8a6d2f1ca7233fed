package siege_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario"
)

// lying is a scenario whose first step tampers with what the second one needs, so that the second one's claim is false.
func lying(attack, command, claim string) string {
	return hostile(attack) + "\n## Lie\n\n```console\n$ " + command + "\n```\n\n- [ ] " + claim + " within `50ms`\n"
}

// A scenario that puts liars in the place of programs, or false settings in the place of the kernel's, hurts its own
// verdict alone: what judges it is no program and reads no file that it can replace.
func TestLies(t *testing.T) {
	for name, text := range map[string]string{
		"an ip that says it did": lying(attackName+" fake-program ip",
			"ip netns add later", "namespace `later` exists"),
		"a ping that says it heard": lying(attackName+" fake-program ping",
			"ping -c1 192.0.2.1", "`host` reaches `192.0.2.1`"),
		"settings of its own": lying(attackName+" fake-settings",
			"true", "the sysctl `net.ipv4.ip_forward` in `host` is `1`"),
	} {
		t.Run(name, func(t *testing.T) {
			besiege(t, func(c *caller) {
				c.file(filepath.Join(c.dir, "honest.md"), honest, 0o644)
				o := c.play(text, "honest.md")
				c.intact(o)
				c.carriedOut(o)
				if section := o.of("hostile", "Lie"); section == nil || section.Outcome == scenario.Pass {
					c.Errorf("the lie was believed: %+v", section)
				}
				c.passed(o, "honest", "Make one")
			})
		})
	}
}

// attackByFakeProgram puts a program that does nothing and says that all is well in the place of another one: NAME
func attackByFakeProgram(args []string) {
	liar := filepath.Join(room("liar"), "liar")
	told("write the liar", os.WriteFile(liar, []byte("#!/bin/sh\nexit 0\n"), 0o755))
	for dir := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		if path, err := exec.LookPath(filepath.Join(dir, args[0])); err == nil {
			told("bind over "+path, unix.Mount(liar, path, "", unix.MS_BIND, ""))
		}
	}
}

// attackByFakeSettings puts files in the place of the kernel's settings.
func attackByFakeSettings([]string) {
	const dir = "/proc/sys/net/ipv4"
	told("mount over "+dir, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	told("write", os.WriteFile(filepath.Join(dir, "ip_forward"), []byte("1\n"), 0o644))
	fmt.Println("net.ipv4.ip_forward was faked")
}
