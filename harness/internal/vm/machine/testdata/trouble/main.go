// Command trouble is the first process of a guest, as the harness is, and the harness in it: what it does there is one
// of the ways in which a guest can end.
package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/kernellog"
	"netnscheck/harness/internal/vm/guest"
	"netnscheck/harness/internal/vm/wire"
	"netnscheck/reports"
)

func main() {
	guest.Enter()
	if os.Args[1] == "child" {
		do(os.Args[2])
		return
	}
	events := os.NewFile(3, "events")
	tell := func(text string) { fmt.Fprintln(events, text) }
	tell(fmt.Sprintf(`{"event":%q,"version":%d,"cases":2}`, reports.EventPlan, reports.Version))
	tell(`{"event":"begin","suite":"trouble","name":"first"}`)
	tell(`{"event":"end","suite":"trouble","name":"first","case":{"name":"first","scenario":"","driver":"","kind":"",` +
		`"step":0,"title":"","file":"","line":0,"outcome":"pass","duration_ns":1}}`)
	tell(`{"event":"begin","suite":"trouble","name":"second"}`)
	time.Sleep(time.Second) // of virtual time, which takes none: the first process passes on what was told
	for _, what := range os.Args[1:] {
		do(what)
	}
}

var (
	kernel *kernellog.Watch
	begun  kernellog.Mark
)

func do(what string) {
	what, value, _ := strings.Cut(what, "=")
	switch what {
	case "pass":
	case "fail":
		os.Exit(1)
	case "kmsg": // a line of the kernel's own log
		write("/dev/kmsg", value)
	case "write": // write=PATH:TEXT
		path, text, _ := strings.Cut(value, ":")
		write(path, text)
	case "sysrq":
		write("/proc/sysrq-trigger", value)
	case "watch": // what the kernel complains of from now on
		kernel = kernellog.Open()
		kernel.Begin("it")
		begun = kernel.Mark()
	case "watched":
		for _, p := range kernel.End("it") {
			fmt.Println("told:", p.Message)
		}
		fmt.Printf("%s; %q\n", kernel.Words(), kernel.Since(begun))
	case "taint":
		write("/proc/sys/kernel/tainted", value)
	case "loadwith":
		load("/bad.ko", "what="+value)
	case "memory": // all of it
		write("/proc/self/oom_score_adj", "1000")
		var all [][]byte
		for {
			piece := make([]byte, 16<<20)
			for i := range piece {
				piece[i] = byte(i)
			}
			all = append(all, piece)
		}
	case "sleep":
		time.Sleep(1000 * time.Hour)
	case "spin":
		spin()
	case "off":
		unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	case "restart":
		unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	case "frames": // what is no frame
		write("/dev/ttyS1", strings.Repeat(value, 1000)+"\n")
		time.Sleep(time.Hour)
	case "console":
		for range 200 {
			write("/dev/ttyS0", strings.Repeat("\x00\xff\x1b[2J BUG", 500)+"\n")
		}
	case "result":
		write(wire.Results+"/"+value, "evidence\n")
	case "fill": // the root file system, which is memory
		f, err := os.Create("/root/all")
		check(err)
		piece := make([]byte, 1<<20)
		for {
			if _, err := f.Write(piece); err != nil {
				fmt.Println("the disk is full:", err)
				return
			}
		}
	case "orphan": // a process that holds the pipes open
		pid, err := os.StartProcess("/init", []string{"harness", "child", "sleep"}, &os.ProcAttr{
			Files: []*os.File{nil, os.Stdout, os.Stderr, os.NewFile(3, "events")}})
		check(err)
		fmt.Println("started", pid.Pid)
	case "who":
		name, _ := os.Hostname()
		home := os.Getenv("HOME")
		check(os.WriteFile(home+"/mine", nil, 0o600))
		fmt.Println(os.Getuid(), os.Getgid(), name, home, len(os.Environ()))
		var root unix.Statfs_t
		check(unix.Statfs("/sys/fs/cgroup", &root))
		fmt.Printf("cgroup %x\n", root.Type)
	case "userns": // what the sandbox of an ordinary user needs
		runtime.LockOSThread()
		p, err := os.StartProcess("/init", []string{"harness", "child", "pass"}, &os.ProcAttr{
			Files: []*os.File{nil, os.Stdout, os.Stderr, os.NewFile(3, "events")},
			Sys:   userNamespace()})
		check(err)
		_, err = p.Wait()
		check(err)
		fmt.Println("user namespace")
	case "terminal":
		terminal()
	case "processors": // fails if there are not so many
		if fmt.Sprint(runtime.NumCPU()) != value {
			fmt.Println("there are", runtime.NumCPU())
			os.Exit(4)
		}
	case "print":
		fmt.Print(value)
	default:
		fmt.Println("unknown trouble", what)
		os.Exit(2)
	}
}

// terminal tells the size of the terminal, once more when it has changed, and the line that is typed then.
func terminal() {
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, unix.SIGWINCH)
	size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
	check(err)
	fmt.Printf("size %d %d, uid %d\n", size.Row, size.Col, os.Getuid())
	for size.Col != 100 {
		<-changed
		size, err = unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
		check(err)
	}
	fmt.Printf("size %d %d\n", size.Row, size.Col)
	tty, err := os.Open("/dev/tty")
	check(err)
	line, err := bufio.NewReader(tty).ReadString('\n')
	check(err)
	fmt.Printf("read %q\n", strings.TrimSpace(line))
}

func write(path, text string) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|unix.O_NOCTTY, 0o644)
	check(err)
	_, err = f.WriteString(text)
	check(err)
	f.Close()
}

func load(path, parameters string) {
	f, err := os.Open(path)
	check(err)
	check(unix.FinitModule(int(f.Fd()), parameters, 0))
}

// spin keeps every processor from everything else: a real-time thread may use all of its time. Since Linux 6.12 a part
// of it is kept for ordinary threads all the same, by a server for each processor (kernel/sched/debug.c).
func spin() {
	write("/proc/sys/kernel/sched_rt_runtime_us", "-1")
	check(unix.Mount("debugfs", "/sys/kernel/debug", "debugfs", 0, ""))
	servers, err := filepath.Glob("/sys/kernel/debug/sched/fair_server/*/runtime")
	check(err)
	for _, server := range servers {
		write(server, "0")
	}
	for range 2 * runtime.NumCPU() {
		go func() {
			runtime.LockOSThread()
			check(unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: 1, Priority: 99}, 0))
			for {
			}
		}()
	}
	select {}
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(3)
	}
}
