package siege_test

import "golang.org/x/sys/unix"

type registers = unix.PtraceRegsArm64

// callInstruction is SVC #0.
var callInstruction = []byte{0x01, 0x00, 0x00, 0xd4}

// generalRegisters is NT_PRSTATUS.
const generalRegisters = 1

func getRegisters(pid int, r *registers) error {
	return unix.PtraceGetRegSetArm64(pid, generalRegisters, r)
}

func setRegisters(pid int, r *registers) error {
	return unix.PtraceSetRegSetArm64(pid, generalRegisters, r)
}

func programCounter(r *registers) uintptr        { return uintptr(r.Pc) }
func setProgramCounter(r *registers, at uintptr) { r.Pc = uint64(at) }

func stackPointer(r *registers) uintptr { return uintptr(r.Sp) }

// prepareCall puts a system call into registers.
func prepareCall(r *registers, number uintptr, args [6]uintptr) {
	r.Regs[8] = uint64(number)
	for i, arg := range args {
		r.Regs[i] = uint64(arg)
	}
}

func resultOf(r *registers) int { return int(int64(r.Regs[0])) }
