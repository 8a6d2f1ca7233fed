package siege_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario"
)

// lying is a scenario whose first step tampers with what the second one needs, so that the second one's check is false.
func lying(attack, command, claim string) string {
	return hostile(attack) + "\n## Lie\n\n```console\n$ " + command + "\n```\n\n- [ ] " + claim + " within `50ms`\n"
}

// A scenario that replaces programs or the kernel's settings with fakes harms only its own verdict: for a claim about
// the kernel the worker runs no program and reads no file that a scenario can replace.
func TestFakes(t *testing.T) {
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

// A folder of PATH that the machine lacks may be made by a scenario. The worker asks no nft in it.
func TestPlantedProgram(t *testing.T) {
	if _, err := exec.LookPath("nft"); err != nil {
		t.Skip(err)
	}
	besiege(t, func(c *caller) {
		c.path = []string{"/tmp/planted"}
		o := c.play("# T\n\n## Attack\n\n```console\n" +
			"$ nft 'table inet t { chain c { drop; }; }'\n" +
			"$ sh -c 'mkdir /tmp/planted; printf \"#!/bin/sh\\necho lie\" >/tmp/planted/nft; chmod +x " +
			"/tmp/planted/nft'\n" +
			"$ nft list ruleset\nlie\n```\n\n- [ ] the chain `inet t c` in `host` has the rule `drop` within `50ms`\n")
		section := o.of("hostile", "Attack")
		if section == nil || section.Outcome != scenario.Error ||
			!strings.Contains(o.stdout, "/tmp/planted/nft is in a folder that the programs of the lab can change") {
			c.Errorf("the planted nft was asked: %+v\n%s", section, o.stdout)
		}
	})
}

// attackByFakeProgram replaces a program with one that does nothing and succeeds: NAME
func attackByFakeProgram(args []string) {
	liar := filepath.Join(room("liar"), "liar")
	told("write the liar", os.WriteFile(liar, []byte("#!/bin/sh\nexit 0\n"), 0o755))
	for dir := range strings.SplitSeq(os.Getenv("PATH"), ":") {
		if path, err := exec.LookPath(filepath.Join(dir, args[0])); err == nil {
			told("bind over "+path, unix.Mount(liar, path, "", unix.MS_BIND, ""))
		}
	}
}

// attackByFakeSettings mounts files over the kernel's settings.
func attackByFakeSettings([]string) {
	const dir = "/proc/sys/net/ipv4"
	told("mount over "+dir, unix.Mount("tmpfs", dir, "tmpfs", 0, ""))
	told("write", os.WriteFile(filepath.Join(dir, "ip_forward"), []byte("1\n"), 0o644))
	fmt.Println("net.ipv4.ip_forward was faked")
}

// Root of a namespace may send netlink messages to any socket in it. A message from a program is not taken for one from
// the kernel.
func TestForgedNetlink(t *testing.T) {
	besiege(t, func(c *caller) {
		o := c.play("# T\n\n## Attack\n\n```console\n" +
			"$ ip netns add ns\n$ sh -c '" + attackName + " spoof & sleep 1'\n[any]\n```\n\n" +
			"- [ ] `lo` in `host` has the address `127.0.0.9/8`\n- [ ] `host` saw the event `link add forged0` " +
			"within `500ms`\n")
		section := o.of("hostile", "Attack")
		if section == nil {
			c.Fatalf("there is no result of the attack:\n%s%s", o.stdout, o.stderr)
		}
		if section.Outcome == scenario.Pass {
			c.Error("what a program says by netlink was taken for the kernel's word")
		}
	})
}

// attackBySpoofing tells every netlink socket of its namespace for two seconds that lo has an address and that there is
// a new link.
func attackBySpoofing([]string) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		told("open a netlink socket", err)
		return
	}
	message := func(kind uint16, seq uint32, body, attributes []byte) []byte {
		m := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)+len(attributes)))
		m = binary.NativeEndian.AppendUint16(m, kind)
		m = binary.NativeEndian.AppendUint16(m, unix.NLM_F_MULTI)
		m = binary.NativeEndian.AppendUint32(m, seq)
		m = binary.NativeEndian.AppendUint32(m, 0)
		return append(append(m, body...), attributes...)
	}
	address := []byte{8, 0, unix.IFA_ADDRESS, 0, 127, 0, 0, 9, 8, 0, unix.IFA_LOCAL, 0, 127, 0, 0, 9}
	link := append([]byte{12, 0, unix.IFLA_IFNAME, 0}, "forged0\x00"...)
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		sockets, err := os.ReadFile("/proc/self/net/netlink")
		if err != nil {
			told("list netlink sockets", err)
			return
		}
		for line := range strings.Lines(string(sockets)) {
			fields := strings.Fields(line)
			if len(fields) < 3 {
				continue
			}
			port, err := strconv.ParseUint(fields[2], 10, 32)
			if err != nil || port == 0 {
				continue
			}
			to := &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Pid: uint32(port)}
			for seq := range uint32(12) {
				loopback := []byte{unix.AF_INET, 8, 0, 0, 1, 0, 0, 0}
				unix.Sendto(fd, message(unix.RTM_NEWADDR, seq, loopback, address), unix.MSG_DONTWAIT, to)
				unix.Sendto(fd, message(unix.NLMSG_DONE, seq, []byte{0, 0, 0, 0}, nil), unix.MSG_DONTWAIT, to)
			}
			forged := append([]byte{0, 0, 1, 0, 9}, make([]byte, 11)...)
			unix.Sendto(fd, message(unix.RTM_NEWLINK, 0, forged, link), unix.MSG_DONTWAIT, to)
		}
	}
}

// TestOwnProgram: the program that runs inside is the user's file, which programs must not change through
// /proc/PID/exe.
func TestOwnProgram(t *testing.T) {
	besiege(t, func(c *caller) {
		text, err := os.ReadFile(inScratch("harness"))
		c.must(err)
		c.program = filepath.Join(c.home, "harness")
		c.file(c.program, string(text), 0o755)
		before, err := os.Stat(c.program)
		c.must(err)
		c.repelled(c.play(hostile("ip netns add ns", attackName+" touch")))
		after, err := os.Stat(c.program)
		if err != nil || before.Mode() != after.Mode() || !before.ModTime().Equal(after.ModTime()) {
			c.Errorf("the program was %v of %v, and is %v of %v: %v",
				before.Mode(), before.ModTime(), after.Mode(), after.ModTime(), err)
		}
	})
}

// attackByTouching changes the mode and the time of the programs of all visible processes.
func attackByTouching([]string) {
	for _, pid := range visible() {
		exe := inProc(pid, "exe")
		told("chmod "+exe, os.Chmod(exe, 0o6777))
		told("touch "+exe, os.Chtimes(exe, time.Unix(1, 0), time.Unix(1, 0)))
	}
}

// TestStarvedHelper: a scenario that starves the helper of its sandbox harms only itself.
func TestStarvedHelper(t *testing.T) {
	besiege(t, func(c *caller) {
		c.file(filepath.Join(c.dir, "honest.md"), honest, 0o644)
		for _, limit := range []string{"--nproc=1:1", "--nofile=4:4"} {
			o := c.play(hostile("prlimit --pid 1 "+limit, "ip netns add ns"), "honest.md")
			c.survived(o)
			c.passed(o, "honest", "Make one")
		}
	})
}
