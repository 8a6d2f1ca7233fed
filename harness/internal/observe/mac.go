package observe

import (
	"golang.org/x/sys/unix"
)

// markRandomMACs marks the links whose MAC address the kernel chose. Netlink does not report that, only the file
// addr_assign_type: 1 is a random address, 2 one taken from another device, 3 one that was set. Without the sysfs
// nothing is marked. gone is set if a link is not there any more.
func markRandomMACs(sysfs int, links []*link) (gone bool) {
	if sysfs <= 0 {
		return false
	}
	for _, l := range links {
		if l.MAC == "" || l.permanent || l.Kind == "loopback" {
			continue
		}
		fd, err := unix.Openat(sysfs, "class/net/"+l.Name+"/addr_assign_type", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			gone = gone || err == unix.ENOENT
			continue
		}
		var kind [4]byte
		n, _ := unix.Read(fd, kind[:])
		unix.Close(fd)
		l.MACRandom = n > 0 && (kind[0] == '1' || kind[0] == '2')
	}
	return gone
}

// openSysfs opens a sysfs of the calling thread's namespace, without mounting it anywhere, which takes some 50 µs; 0 if
// that is forbidden.
func openSysfs() int {
	context, err := unix.Fsopen("sysfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return 0
	}
	defer unix.Close(context)
	if err := unix.FsconfigCreate(context); err != nil {
		return 0
	}
	mount, err := unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY)
	if err != nil {
		return 0
	}
	return mount
}
