package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// Enter makes the process what Start meant it to be. Call it first thing in main, before any other goroutine: outside it does
// nothing; in the sandbox's init and in a trial it does not return; in the program itself it returns when everything is ready. Whether
// this is the program inside, Inside says.
func Enter() {
	if received == nil || received.Stage == stageInside {
		return
	}
	if received.Stage == stageNested {
		beNested()
	}
	control := os.NewFile(uintptr(received.Control), "control")
	unix.CloseOnExec(received.Control)
	if a := settle(*received); a.Failed != "" || received.Trial {
		reply(control, a)
		os.Exit(0) // Start reports what the answer says
	}
	first := *received
	received.Stage, received.Control = stageInside, 0
	name, value := variable, received.environment()[len(variable)+1:]
	if err := os.Setenv(name, value); err != nil {
		reply(control, failed("set the environment", err))
		os.Exit(0)
	}
	if first.Stage == stageInit {
		beInit(first, control)
	}
	reply(control, answer{})
	go obey(control, unix.Getpid())
}

// settle makes the mounts inside.
func settle(o orders) answer {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return failed("make / private", err)
	}
	if o.PIDNamespace {
		if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
			a := failed("mount /proc", err)
			a.NoProc = true
			return a
		}
	}
	if err := ownTemp(); err != nil {
		return failed("mount /tmp", err)
	}
	if o.Trial {
		return try()
	}
	return answer{}
}

// ownTemp sees to a folder for temporary files that can be written inside.
func ownTemp() error {
	if unix.Access(os.TempDir(), unix.W_OK|unix.X_OK) == nil {
		return nil
	}
	if err := os.Setenv("TMPDIR", "/tmp"); err != nil {
		return err
	}
	if unix.Access("/tmp", unix.W_OK|unix.X_OK) == nil {
		return nil
	}
	return unix.Mount("tmpfs", "/tmp", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
}

// try does once what every lab does, on a thread that ends with it.
func try() answer {
	result := make(chan answer)
	go func() {
		runtime.LockOSThread() // never unlocked
		if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_NEWNET); err != nil {
			result <- failed("unshare a lab's namespaces", err)
			return
		}
		if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
			result <- failed("mount a lab's /run", err)
			return
		}
		result <- answer{}
	}()
	return <-result
}

func failed(what string, err error) answer {
	a := answer{Failed: what}
	if !errors.As(err, &a.Errno) {
		a.Failed += ": " + err.Error()
	}
	return a
}

// reply answers the process outside. If that one is gone, so is soon this one.
func reply(control *os.File, a answer) {
	text, err := json.Marshal(a)
	if err == nil {
		_, err = control.Write(append(text, '\n'))
	}
	if err != nil {
		os.Exit(1)
	}
}

// beInit is process 1: it starts the program, takes in orphans, and ends with the program, which ends everything else.
func beInit(o orders, control *os.File) {
	// Signals are for the program, and come to it through control. A caught one is a plain one again in what is executed.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	var files []uintptr
	for fd := range o.Control {
		files = append(files, uintptr(fd))
	}
	program, err := syscall.ForkExec("/proc/self/exe", os.Args, &syscall.ProcAttr{Env: os.Environ(), Files: files})
	if err != nil {
		reply(control, failed("start the program again", err))
		os.Exit(0)
	}
	reply(control, answer{})
	go obey(control, program)
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			fmt.Fprintln(os.Stderr, "init of the sandbox: wait:", err)
			exit(1)
		case pid == program && status.Exited():
			exit(status.ExitStatus())
		case pid == program && status.Signaled():
			exit(128 + int(status.Signal()))
		}
	}
}

// exit ends init at once: os.Exit would sleep for a second under the race detector.
func exit(status int) { unix.Exit(status) }

// obey hands the signals that come from outside to the program, and ends everything when the process outside is gone.
func obey(control *os.File, program int) {
	var order [1]byte
	for {
		if n, err := control.Read(order[:]); err != nil || n == 0 {
			unix.Kill(program, unix.SIGKILL)
			os.Exit(1)
		}
		unix.Kill(program, syscall.Signal(order[0]))
	}
}
