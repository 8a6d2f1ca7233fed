package siege_test

import (
	"fmt"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// System calls that no lesson needs are refused before the kernel executes them.
func TestSystemCallsThatNoLessonNeeds(t *testing.T) {
	besiege(t, func(c *caller) {
		c.repelled(c.play(hostile(attackFrom("syscalls")...)))
	})
}

// needless are system calls that no lesson needs, with arguments that are harmless if the call is allowed: it then
// fails with another errno, or succeeds and what it has made ends with the attacker.
var needless = []struct {
	name   string
	number uintptr
	args   [5]uintptr
}{
	{"io_uring_setup", unix.SYS_IO_URING_SETUP, [5]uintptr{1}},
	{"io_uring_enter", unix.SYS_IO_URING_ENTER, [5]uintptr{^uintptr(0)}},
	{"bpf", unix.SYS_BPF, [5]uintptr{0, pointer(&bpfMap[0]), uintptr(len(bpfMap) * 4)}},
	{"kexec_load", unix.SYS_KEXEC_LOAD, [5]uintptr{0, 0, 0, ^uintptr(0)}},
	{"userfaultfd", unix.SYS_USERFAULTFD, [5]uintptr{unix.O_CLOEXEC | 1}}, // UFFD_USER_MODE_ONLY needs no capability
	{"add_key", unix.SYS_ADD_KEY, [5]uintptr{keyKind, keyKind, keyKind, 1, processKeyring}},
	{"request_key", unix.SYS_REQUEST_KEY, [5]uintptr{keyKind, keyKind, 0, processKeyring}},
	{"keyctl", unix.SYS_KEYCTL, [5]uintptr{unix.KEYCTL_GET_KEYRING_ID, ^uintptr(3), 0}}, // -4: that of the user
	{"perf_event_open", unix.SYS_PERF_EVENT_OPEN, [5]uintptr{pointer(&perfEvent[0]), 0, ^uintptr(0), ^uintptr(0), 0}},
	{"open_by_handle_at", unix.SYS_OPEN_BY_HANDLE_AT, [5]uintptr{0, pointer(&handle[0]), 0}},
	{"init_module", unix.SYS_INIT_MODULE, [5]uintptr{}},
	{"finit_module", unix.SYS_FINIT_MODULE, [5]uintptr{^uintptr(0)}},
	{"delete_module", unix.SYS_DELETE_MODULE, [5]uintptr{}},
	{"unshare the cgroup namespace", unix.SYS_UNSHARE, [5]uintptr{unix.CLONE_NEWCGROUP}},
	{"swapon", unix.SYS_SWAPON, [5]uintptr{}},
	{"swapoff", unix.SYS_SWAPOFF, [5]uintptr{}},
	{"reboot", unix.SYS_REBOOT, [5]uintptr{}}, // magic numbers are checked after the capability
	{"acct", unix.SYS_ACCT, [5]uintptr{}},
	{"syslog", unix.SYS_SYSLOG, [5]uintptr{3, pointer(&buffer[0]), uintptr(len(buffer))}},
	{"settimeofday", unix.SYS_SETTIMEOFDAY, [5]uintptr{}},
	{"fanotify_init", unix.SYS_FANOTIFY_INIT, [5]uintptr{}},
}

const processKeyring = ^uintptr(1) // -2

var (
	userWord  = [...]byte{'u', 's', 'e', 'r', 0}
	keyKind   = pointer(&userWord[0])
	bpfMap    = [...]uint32{2, 4, 4, 1, 0, 0, 0, 0}     // an array of one
	perfEvent = [16]uint64{1 | 128<<32, 9, 0, 0, 0, 41} // the software event that counts nothing, disabled
	handle    = [...]uint32{8, 1, 0, 0}
	buffer    [64]byte
)

func pointer[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

func attackSyscalls([]string) {
	for _, call := range needless {
		onThread(func() {
			a := call.args
			result, _, errno := unix.Syscall6(call.number, a[0], a[1], a[2], a[3], a[4], 0)
			switch errno {
			case unix.EPERM, unix.ENOSYS, unix.EACCES:
				fmt.Printf("%s: %v\n", call.name, errno)
			default:
				brokeThrough("the kernel listens to %s: %d, %v", call.name, result, errno)
			}
		})
	}
}
