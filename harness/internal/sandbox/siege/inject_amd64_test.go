package siege_test

import "golang.org/x/sys/unix"

type registers = unix.PtraceRegs

// callInstruction is SYSCALL.
var callInstruction = []byte{0x0f, 0x05}

func getRegisters(pid int, r *registers) error { return unix.PtraceGetRegs(pid, r) }
func setRegisters(pid int, r *registers) error { return unix.PtraceSetRegs(pid, r) }

func programCounter(r *registers) uintptr        { return uintptr(r.Rip) }
func setProgramCounter(r *registers, at uintptr) { r.Rip = uint64(at) }

func stackPointer(r *registers) uintptr { return uintptr(r.Rsp) }

// prepareCall puts a system call into registers. A negative Orig_rax keeps the kernel from restarting the call that the
// process was in.
func prepareCall(r *registers, number uintptr, args [6]uintptr) {
	r.Rax, r.Orig_rax = uint64(number), ^uint64(0)
	r.Rdi, r.Rsi, r.Rdx = uint64(args[0]), uint64(args[1]), uint64(args[2])
	r.R10, r.R8, r.R9 = uint64(args[3]), uint64(args[4]), uint64(args[5])
}

func resultOf(r *registers) int { return int(int64(r.Rax)) }
