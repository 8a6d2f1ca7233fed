package machine

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"netnscheck/harness/internal/vm/qemu"
)

// DefaultMemory is the memory of a guest, in MiB: the whole catalogue fits into half of it.
const DefaultMemory = 1024

// Accelerated reports whether KVM truly works here. That /dev/kvm can be opened proves nothing: inside some virtual
// machines a guest then hangs for ever. The modules for the processor's own virtualization are loaded where it has it.
func Accelerated() bool {
	device, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	device.Close()
	for _, module := range []string{"kvm_intel", "kvm_amd"} {
		if _, err := os.Stat("/sys/module/" + module); err == nil {
			return true
		}
	}
	return false
}

// The files of a guest's folder.
const (
	consoleFile  = "console.log"
	initrdFile   = "initrd"
	evidenceFile = "evidence"
)

// emulated is the processor of an emulated guest: everything that qemu can emulate, except what costs much in emulation
// and what Linux then works around at each system call or copy, and except cmpxchg16b: its emulation in qemu 7.2 spoils
// the flags now and then, of which a kernel dies (6.12.95 of Debian's cloud flavour in real time, at each boot).
const emulated = "max,-erms,-fsrm,-smap,-smep,-umip,-pcid,-la57,-pku,-cx16"

// arguments are those of qemu, apart from its ports. The guest gets no network, no disk and no folder of this machine.
func (g *Guest) arguments() []string {
	args := []string{"-M", "q35", "-no-user-config", "-nodefaults", "-nic", "none", "-display", "none", "-no-reboot",
		"-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny",
		"-m", strconv.Itoa(cmp.Or(g.Memory, DefaultMemory)), "-smp", strconv.Itoa(cmp.Or(g.CPUs, 1))}
	switch {
	case g.Virtual:
		// A tick of the virtual clock is 2 ns for each instruction; while the guest sleeps, it jumps.
		args = append(args, "-accel", "tcg", "-cpu", emulated, "-icount", "shift=1,sleep=off")
	case Accelerated():
		args = append(args, "-accel", "kvm", "-cpu", "host")
	default:
		args = append(args, "-accel", "tcg,thread=multi", "-cpu", emulated)
	}
	return append(args, "-kernel", g.Kernel, "-initrd", filepath.Join(g.Folder, initrdFile),
		"-append", g.commandLine())
}

// commandLine is the kernel's. Warnings go to the console (loglevel 5), an oops ends the guest, and so does a panic, at
// once; an NMI that nobody expects is a panic, which shows where a guest hangs. The self-tests of the kernel's ciphers
// take as long as the rest of an emulated boot.
func (g *Guest) commandLine() string {
	words := "console=ttyS0 loglevel=5 printk.time=1 panic=-1 oops=panic unknown_nmi_panic=1 " +
		"mitigations=off init_on_alloc=0 nokaslr random.trust_cpu=on cryptomgr.notests"
	if g.Virtual {
		// The processor's own timer and clock need no calibration, and the local APIC only costs. So does a timer that
		// is set anew for each short sleep, of which Go programs have very many: a quarter of a run.
		words += " nolapic tsc_early_khz=1000000 nohz=off highres=off"
	}
	if g.Append != "" {
		words += " " + g.Append
	}
	return words
}

// Command is a command for a shell that boots the guest of a folder again: its console is on the terminal, what it
// tells goes to a file beside.
func (g *Guest) Command() string {
	words := append([]string{qemu.Program}, g.arguments()...)
	words = append(words, "-serial", "stdio", "-serial", "file:"+filepath.Join(g.Folder, "frames.jsonl"),
		"-serial", "file:"+filepath.Join(g.Folder, "evidence.tar"))
	for i, word := range words {
		words[i] = quoted(word)
	}
	return strings.Join(words, " ")
}

var plain = regexp.MustCompile(`^[-A-Za-z0-9_./,:=+@%]+$`)

// quoted is a word for a shell.
func quoted(word string) string {
	if plain.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
