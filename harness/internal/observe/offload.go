package observe

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
)

// offloads are the known offloads of a link, with their ethtool commands (linux/ethtool.h).
var offloads = map[string]uint32{"tso": unix.ETHTOOL_GTSO, "gro": unix.ETHTOOL_GGRO}

// Offload reports whether an offload of a link, tso or gro, is on.
func Offload(w *netns.World, ns, link, feature string) (on bool, err error) {
	command, ok := offloads[feature]
	if !ok {
		return false, fmt.Errorf("there is no offload %q", feature)
	}
	err = w.Do(ns, func() error {
		socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(socket)
		value := struct{ command, data uint32 }{command: command}
		var request struct {
			name  [unix.IFNAMSIZ]byte
			value *struct{ command, data uint32 }
			_     [16]byte // the rest of struct ifreq
		}
		copy(request.name[:unix.IFNAMSIZ-1], link)
		request.value = &value
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCETHTOOL,
			uintptr(unsafe.Pointer(&request)))
		if errno != 0 {
			return errno
		}
		on = value.data != 0
		return nil
	})
	return on, err
}
