package observe

import (
	"golang.org/x/sys/unix"
)

// markRandomMACs finds out whose address the kernel chose. Netlink does not tell; the file addr_assign_type does: 1 is a
// random address, 2 one taken from another device, 3 one that was set. The files of a namespace are in a sysfs of its
// own, so one is made for a moment, mounted nowhere; that costs some 50 µs, and is left out when no link can be meant. It
// has to run on a thread in the namespace. Where it is forbidden, nothing is marked.
func markRandomMACs(links []*link) {
	var doubtful []*link
	for _, l := range links {
		if l.MAC != "" && !l.permanent && l.Kind != "loopback" {
			doubtful = append(doubtful, l)
		}
	}
	if len(doubtful) == 0 {
		return
	}
	sysfs, err := temporarySysfs()
	if err != nil {
		return
	}
	defer unix.Close(sysfs)
	for _, l := range doubtful {
		fd, err := unix.Openat(sysfs, "class/net/"+l.Name+"/addr_assign_type", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		var kind [4]byte
		n, _ := unix.Read(fd, kind[:])
		unix.Close(fd)
		l.MACRandom = n > 0 && (kind[0] == '1' || kind[0] == '2')
	}
}

func temporarySysfs() (int, error) {
	context, err := unix.Fsopen("sysfs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return -1, err
	}
	defer unix.Close(context)
	if err := unix.FsconfigCreate(context); err != nil {
		return -1, err
	}
	return unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_RDONLY)
}

// keepRandomMACs marks links that were read again.
func keepRandomMACs(links, before []*link) {
	for _, l := range links {
		for _, b := range before {
			if l.Index == b.Index && l.MAC == b.MAC {
				l.MACRandom = b.MACRandom
			}
		}
	}
}
