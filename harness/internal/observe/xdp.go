package observe

import (
	"unsafe"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// parseXDP reads the XDP programs of a link (IFLA_XDP in linux/if_link.h): one, or one for each mode.
func parseXDP(data []byte) (programs []state.BPFProgram) {
	const driver, generic, hardware = 5, 6, 7 // IFLA_XDP_DRV_PROG_ID, _SKB_PROG_ID, _HW_PROG_ID
	attached := oneOf(data, nl.IFLA_XDP_ATTACHED,
		map[uint64]string{1: "driver", 2: "generic", 3: "hardware", 4: "several"})
	if attached == "" {
		return nil
	}
	modes := map[uint16]string{driver: "driver", generic: "generic", hardware: "hardware"}
	attributes(data, func(kind uint16, data []byte) {
		if mode := modes[kind]; mode != "" {
			id := uint32(number(data))
			programs = append(programs, state.BPFProgram{ID: id, Mode: mode, Name: programName(id)})
		}
	})
	if programs == nil {
		programs = []state.BPFProgram{{Mode: attached}} // the kernel tells no ids
	}
	return programs
}

// programName is the name under which a BPF program was loaded. Only root of the machine may read it.
func programName(id uint32) string {
	fd, err := bpf(unix.BPF_PROG_GET_FD_BY_ID, unsafe.Pointer(&struct{ id, next, flags uint32 }{id: id}), 12)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	const nameAt = 64 // in struct bpf_prog_info
	var info [nameAt + unix.BPF_OBJ_NAME_LEN]byte
	request := struct {
		fd, size uint32
		info     unsafe.Pointer
	}{uint32(fd), uint32(len(info)), unsafe.Pointer(&info)}
	if _, err := bpf(unix.BPF_OBJ_GET_INFO_BY_FD, unsafe.Pointer(&request), unsafe.Sizeof(request)); err != nil {
		return ""
	}
	return text(info[nameAt:])
}

// bpf is the system call of this name.
func bpf(command uintptr, request unsafe.Pointer, size uintptr) (int, error) {
	n, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(request), size)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
