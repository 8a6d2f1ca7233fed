package kernelfault

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scan reads the console of a file.
func scan(t *testing.T, name string) []Fault {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata/console", name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var s Scanner
	for lines := bufio.NewScanner(f); lines.Scan(); {
		s.Add(lines.Text())
	}
	s.Close()
	return s.faults
}

// told is what is expected of a Fault.
type told struct {
	Class     Class
	Title, At string
	Process   string
	Trace     string // with a space between two functions
	Line      int
}

// TestFaults reads consoles of several kernels. Those named 6.1 are what Debian's 6.1.192-3 printed in a guest when a
// module did what the name says; the others follow the formats of their versions and processors.
func TestFaults(t *testing.T) {
	const syscall = " do_syscall_64+0x5d/0xb0 entry_SYSCALL_64_after_hwframe+0x6e/0xd8"
	const load = "do_one_initcall+0x56/0x220 do_init_module+0x4a/0x1f0 __do_sys_finit_module+0xac/0x120" + syscall
	fatal := func(line int) told {
		return told{Class: Panic, Title: "Kernel panic - not syncing: Fatal exception", Line: line}
	}
	words := map[string]string{"do_warn+0x16/0x1d [bad]": "netns 3 is not as expected"} // of the WARN at a place
	for name, want := range map[string][]told{
		"5.10-null": {{Oops, "BUG: kernel NULL pointer dereference, address: 0000000000000010",
			"veth_newlink+0x1b3/0x3d0 [veth]", "ip (214)", "__rtnl_newlink+0x6f5/0x9a0 rtnl_newlink+0x44/0x70 " +
				"rtnetlink_rcv_msg+0x12c/0x380 do_syscall_64+0x33/0x80 entry_SYSCALL_64_after_hwframe+0x61/0xc6", 1},
			fatal(24)},
		"6.14-gpf": {{Oops, "Oops: general protection fault, probably for non-canonical address 0xdead000000000100: " +
			"0000 [#1] SMP NOPTI", "fib_table_lookup+0x61/0x6d0", "my daemon (402)",
			"ip_route_input_slow+0x2a1/0xb90 __sys_sendto+0x1d0/0x1e0", 1}},
		"6.19-warn": {{Warn, "WARNING: net/core/dev.c:12417 at unregister_netdevice_many_notify+0x9a1/0xb20, CPU#1: " +
			"kworker/u8:3/311", "unregister_netdevice_many_notify+0x9a1/0xb20", "kworker/u8:3 (311)",
			"ops_undo_list+0x2ed/0x3e0 cleanup_net+0x20b/0x3b0 process_one_work+0x190/0x350", 1}},
		"lockdep": {{Warn, "WARNING: possible circular locking dependency detected", "", "ip (188)",
			"dump_stack_lvl+0x68/0x90 check_noncircular+0x13a/0x150", 2},
			{Bug, "unregister_netdevice: waiting for veth0 to become free. Usage count = 2", "", "", "", 14}},
		"locks": {
			{Class: Warn, Title: "WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected", Line: 1},
			{Class: Warn, Title: "WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", Line: 2},
			{Class: Bug, Title: "[ BUG: Invalid wait context ]", Line: 4},
			{Class: Warn, Title: "WARNING: lock held when returning to user space!", Line: 7},
			{Class: Warn, Title: "WARNING: my daemon/402 still has locks held!", Line: 9},
			{Class: Warn, Title: "WARNING: Nested lock was not taken", Line: 11},
			{Class: Bug, Title: "BUG kmalloc-64 (Tainted: G    B  ): Right Redzone overwritten", Line: 13},
		},
		"stalls": {{Hang, "watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [ping:977]", "veth_poll+0x44/0x90 [veth]",
			"ping (977)", "__napi_poll+0x2b/0x160", 1},
			{Hang, "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "", "", "", 9},
			{Hang, "INFO: task ip:1021 blocked for more than 120 seconds.", "", "ip (1021)",
				"__schedule+0x34d/0x9e0 rtnl_lock+0x15/0x20", 11}},
		"6.1-null": {{Oops, "BUG: kernel NULL pointer dereference, address: 0000000000000008", "do_null+0x5/0x11 [bad]",
			"init (83)", "bad_init+0x25/0x1000 [bad] " + load, 4}, fatal(57)},
		"6.1-warn": {{Warn, "WARNING: CPU: 0 PID: 83 at bad.c:12 do_warn+0x16/0x1d [bad]", "do_warn+0x16/0x1d [bad]",
			"init (83)", "bad_init+0xa4/0x1000 [bad] " + load, 4}},
		"6.1-gpf": {{Oops, "general protection fault, maybe for address 0x0: 0000 [#1] PREEMPT SMP NOPTI",
			"do_gpf+0x5/0x13 [bad]", "init (83)", "bad_init+0x4b/0x1000 [bad] " + load, 4}, fatal(55)},
		"6.1-bug": {{Bug, "kernel BUG at bad.c:11!", "do_bug+0x5/0x7 [bad]", "init (83)",
			"bad_init+0x8c/0x1000 [bad] " + load, 4}, fatal(60)},
		"6.1-atomic": {{Bug, "BUG: scheduling while atomic: init/83/0x00000002", "", "init (83)",
			"dump_stack_lvl+0x44/0x5c __schedule_bug.cold+0x42/0x4e __schedule+0x804/0xa00 schedule+0x5a/0xd0 " +
				"schedule_timeout+0x94/0x150 msleep+0x29/0x40 do_atomic+0x16/0x2a [bad] bad_init+0xf3/0x1000 [bad] " +
				load, 4},
			{Warn, "WARNING: CPU: 0 PID: 83 at init/main.c:1284 do_one_initcall+0x1d7/0x220",
				"do_one_initcall+0x1d7/0x220", "init (83)", "do_init_module+0x4a/0x1f0 " +
					"__do_sys_finit_module+0xac/0x120" + syscall, 50}},
		"arm64-null": {{Oops, "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000018",
			"veth_newlink+0x1a8/0x3c0 [veth]", "ip (214)", "veth_newlink+0x1a8/0x3c0 [veth] rtnl_newlink+0x4b4/0xa60 " +
				"rtnetlink_rcv_msg+0x128/0x380 el0_svc+0x38/0x100", 1},
			{Class: Panic, Title: "Kernel panic - not syncing: Oops: Fatal exception", Line: 31}},
		"arm64-bug": {{Bug, "kernel BUG at net/core/skbuff.c:212!", "skb_panic+0x58/0x60", "init (83)",
			"skb_panic+0x58/0x60 skb_put+0x5c/0x68", 1}},
		"riscv-null": {{Oops, "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008",
			"veth_newlink+0x17c/0x35a [veth]", "ip (91)", "veth_newlink+0x17c/0x35a [veth] rtnl_newlink+0x3f6/0x6ea " +
				"rtnetlink_rcv_msg+0x1a0/0x2d2", 1},
			fatal(15)},
		"riscv-bug": {{Bug, "kernel BUG at net/core/skbuff.c:212!", "skb_panic+0x4c/0x4e", "init (83)",
			"skb_panic+0x4c/0x4e skb_put+0x52/0x54", 1},
			{Oops, "Oops - illegal instruction [#2]", "do_bad+0x4/0x10 [bad]", "init (84)", "", 12}},
		"harmless": nil,
	} {
		var got []told
		for _, f := range scan(t, name) {
			got = append(got, told{f.Class, f.Title, f.At, f.Process, strings.Join(f.Trace, " "), f.Line})
			if f.Uptime < time.Second || !strings.Contains(f.Text, f.Title) || !strings.Contains(f.Text, words[f.At]) {
				t.Errorf("%s: at %v\n%s", name, f.Uptime, f.Text)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestFaultsAreBounded: a console may complain without an end.
func TestFaultsAreBounded(t *testing.T) {
	var s Scanner
	for range 1000 {
		s.Add("[    1.000000] BUG: again")
		for range 1000 {
			s.Add("[    1.000000]  more of it")
		}
	}
	for range 2 {
		s.Add("[    2.000000] Kernel panic - not syncing: a worse one")
		s.Add("[    2.000000] Out of memory: Killed process 7 (ip)")
	}
	s.Close()
	if len(s.faults[0].Text) > 16<<10 {
		t.Errorf("the first is of %d bytes", len(s.faults[0].Text))
	}
	var classes []Class
	for _, f := range s.faults[mostFaults:] {
		classes = append(classes, f.Class)
	}
	if !slices.Equal(classes, []Class{Panic, OutOfMemory}) {
		t.Errorf("after the first %d are %q", mostFaults, classes)
	}
}

func FuzzFaults(f *testing.F) {
	files, _ := filepath.Glob("testdata/console/*.log")
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s Scanner
		for line := range strings.Lines(text) {
			s.Add(strings.TrimSuffix(line, "\n"))
		}
		s.Close()
		for i, f := range s.faults {
			if f.Title == "" || f.Class == "" || f.Line < 1 || i > 0 && f.Line <= s.faults[i-1].Line {
				t.Errorf("%+v", s.faults)
			}
		}
	})
}
