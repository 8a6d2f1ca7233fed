package siege_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// An attacker prints a line that begins with broke for each wall that it broke through, and done when it has tried
// everything.
const (
	broke = "BROKE: "
	done  = "siege: all was tried"
)

func brokeThrough(format string, args ...any) { fmt.Printf(broke+format+"\n", args...) }

// attacks are the attacker's subcommands.
var attacks = map[string]func(args []string){
	"terminal":      attackTerminal,
	"inject":        attackInject,
	"read":          attackByReading,
	"setns":         attackNamespaces,
	"look":          attackLooking,
	"harm":          attackNeighbours,
	"hold":          attackByHolding,
	"connect":       attackConnect,
	"vsock":         attackVsock,
	"tamper":        attackFiles,
	"fifo":          attackFIFOs,
	"devices":       attackDevices,
	"mounts":        attackMounts,
	"descriptors":   attackDescriptors,
	"environment":   attackEnvironment,
	"keys":          attackKeys,
	"rights":        attackRights,
	"cgroup":        attackCgroup,
	"leave":         attackByLeaving,
	"linger":        linger,
	"where":         attackFolderOfProgram,
	"fork":          attackByForking,
	"memory":        attackByEating,
	"fill":          attackByFilling,
	"open":          attackByOpening,
	"flood":         attackByFlooding,
	"sleep":         attackBySleeping,
	"forge":         attackMessages,
	"syscalls":      attackSyscalls,
	"fake-program":  attackByFakeProgram,
	"fake-settings": attackByFakeSettings,
	"spoof":         attackBySpoofing,
	"touch":         attackByTouching,
	"own-terminal":  attackOwnTerminal,
	"marks":         attackMarks,
	"ask":           attackAsking,
}

func beAttacker(args []string) {
	runtime.LockOSThread() // for what the kernel keeps per thread: ptrace, namespaces, mounts
	attack := attacks[args[0]]
	if attack == nil {
		fmt.Fprintf(os.Stderr, "%s: there is no attack %q\n", attackName, args[0])
		os.Exit(1)
	}
	attack(args[1:])
	fmt.Println(done)
}

// visible returns the processes in /proc without the attacker itself and its children.
func visible() (pids []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && pid != os.Getpid() && parentOf(pid) != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parentOf returns the parent of a process, 0 if it cannot be read.
func parentOf(pid int) int {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(text), ") ") // the name of the program may contain anything, but not this
	if fields := strings.Fields(rest); len(fields) > 1 {
		parent, _ := strconv.Atoi(fields[1])
		return parent
	}
	return 0
}

// inProc returns a path below the directory of a process in /proc.
func inProc(pid int, path ...string) string {
	return filepath.Join(append([]string{"/proc", strconv.Itoa(pid)}, path...)...)
}

// onThread runs a function on a thread that ends with it, so that the state of the thread does not matter.
func onThread(f func()) {
	ended := make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked
		defer close(ended)
		f()
	}()
	<-ended
}

// setns enters a namespace. (Only internal/netns may use unix.Setns.)
func setns(fd, kind int) error {
	if _, _, errno := unix.Syscall(unix.SYS_SETNS, uintptr(fd), uintptr(kind), 0); errno != 0 {
		return errno
	}
	return nil
}
