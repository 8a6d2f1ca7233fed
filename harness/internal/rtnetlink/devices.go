package rtnetlink

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/scenario/operation"
)

// changeMulticast is `ip maddress add|del`, which is an ioctl (netdevice(7), SIOCADDMULTI).
func (s *session) changeMulticast(op operation.MulticastChange) error {
	request := uintptr(unix.SIOCADDMULTI)
	if op.Verb == operation.Delete {
		request = unix.SIOCDELMULTI
	}
	return s.enter(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open a socket: %w", err)
		}
		defer unix.Close(fd)
		if len(op.Dev) >= unix.IFNAMSIZ {
			return wrong("argument %q is wrong: \"dev\" not a valid ifname", op.Dev)
		}
		var ifreq struct {
			name    [unix.IFNAMSIZ]byte
			family  uint16
			address [22]byte
		}
		copy(ifreq.name[:], op.Dev)
		copy(ifreq.address[:], op.Address)
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&ifreq)))
		return refusedIoctl(errno, "ioctl")
	})
}

func refusedIoctl(errno syscall.Errno, doing string) error {
	if errno == 0 {
		return nil
	}
	return refuse(1, errno, "%s", doing)
}

// setToken is `ip token set`.
func (s *session) setToken(op operation.TokenSet) error {
	index, err := s.index(op.Dev)
	if err != nil {
		return &Refused{Errno: unix.ENODEV, Message: fmt.Sprintf("argument %q is wrong: dev is invalid", op.Dev),
			Status: 255}
	}
	header := nl.NewIfInfomsg(unix.AF_INET6)
	header.Index = int32(index)
	m := s.request(unix.RTM_SETLINK, 0, header)
	families := nl.NewRtAttr(unix.IFLA_AF_SPEC|unix.NLA_F_NESTED, nil)
	ipv6 := families.AddRtAttr(unix.AF_INET6|unix.NLA_F_NESTED, nil)
	ipv6.AddRtAttr(unix.IFLA_INET6_TOKEN, op.Token.AsSlice())
	m.AddData(families)
	return m.send()
}

// changeTun is `ip tuntap add|del`: a device is made, and its persistence set or cleared (linux/if_tun.h).
func (s *session) changeTun(op operation.TunChange) error {
	return s.enter(func() error {
		fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
		if err != nil {
			return refuse(1, err, "open")
		}
		defer unix.Close(fd)
		if len(op.Name) >= unix.IFNAMSIZ {
			return wrong("argument %q is wrong: \"dev\" not a valid ifname", op.Name)
		}
		ifreq, err := unix.NewIfreq(op.Name)
		if err != nil {
			return fmt.Errorf("name the device: %w", err)
		}
		ifreq.SetUint16(tunFlags(op))
		if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, ifreq); err != nil {
			return refuse(1, err, "ioctl(TUNSETIFF)")
		}
		if err := setOwners(fd, op); err != nil {
			return err
		}
		persist := 1
		if op.Verb == operation.Delete {
			persist = 0
		}
		if err := unix.IoctlSetInt(fd, unix.TUNSETPERSIST, persist); err != nil {
			return refuse(1, err, "ioctl(TUNSETPERSIST)")
		}
		return nil
	})
}

func tunFlags(op operation.TunChange) (flags uint16) {
	for _, f := range []struct {
		set  bool
		flag uint16
	}{
		{op.Mode == "tun", unix.IFF_TUN}, {op.Mode == "tap", unix.IFF_TAP}, {!op.PI, unix.IFF_NO_PI},
		{op.OneQueue, unix.IFF_ONE_QUEUE}, {op.VNetHdr, unix.IFF_VNET_HDR}, {op.MultiQueue, unix.IFF_MULTI_QUEUE},
		{op.Verb == operation.Add, unix.IFF_TUN_EXCL},
	} {
		if f.set {
			flags |= f.flag
		}
	}
	return flags
}

func setOwners(fd int, op operation.TunChange) error {
	for _, owner := range []struct {
		id      *uint32
		request uint
		doing   string
	}{{op.User, unix.TUNSETOWNER, "ioctl(TUNSETOWNER)"}, {op.Group, unix.TUNSETGROUP, "ioctl(TUNSETGROUP)"}} {
		if owner.id == nil {
			continue
		}
		if err := unix.IoctlSetInt(fd, owner.request, int(*owner.id)); err != nil {
			return refuse(1, err, "%s", owner.doing)
		}
	}
	return nil
}

// refusedWith is a refusal with another exit status.
func refusedWith(status int, err error) error {
	var refused *Refused
	if errors.As(err, &refused) {
		again := *refused
		again.Status = status
		return &again
	}
	return err
}
