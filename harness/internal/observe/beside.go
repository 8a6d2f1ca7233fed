package observe

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// Beside is what can be told at little cost of a namespace beside its State: whether something changed there.
type Beside struct {
	// Generation is that of the nftables rule set, which every change increments; untouched where nothing was changed,
	// also before the kernel has loaded nf_tables.
	Generation uint32
	// Sysctls are those of besideSysctls that this kernel has, by key.
	Sysctls map[string]string
	// Offloads are the offloads of each link that were asked for, as words of bits, by the link's name.
	Offloads map[string]string
}

// besideSysctls are sysctls of a namespace that change what packets meet and that no State has.
var besideSysctls = []sysctlFolder{
	{"net.ipv4.", []string{"tcp_syncookies", "tcp_ecn", "tcp_mtu_probing", "ip_default_ttl", "ip_nonlocal_bind",
		"ip_no_pmtu_disc", "fib_multipath_hash_policy", "icmp_echo_ignore_broadcasts", "icmp_ratelimit",
		"ip_unprivileged_port_start", "ip_local_port_range", "fwmark_reflect"}},
	{"net.ipv4.conf.all.", []string{"send_redirects", "accept_redirects", "route_localnet", "arp_filter", "arp_accept"}},
	{"net.ipv6.", []string{"bindv6only", "fwmark_reflect"}},
	{"net.ipv6.conf.all.", []string{"accept_ra", "accept_redirects", "autoconf", "keep_addr_on_down"}},
}

// LookBeside reads what is beside the State of a namespace with these links.
func LookBeside(ctx context.Context, w *netns.World, n *state.Namespace) (b Beside, err error) {
	if err := ctx.Err(); err != nil {
		return b, err
	}
	err = w.Do(n.Name, func() (err error) {
		if b.Generation, err = generation(); err != nil {
			return err
		}
		values, err := readFolders(besideSysctls)
		if err != nil {
			return err
		}
		b.Sysctls = make(map[string]string, len(values))
		for _, v := range values {
			b.Sysctls[v.Key] = v.Value
		}
		b.Offloads, err = wantedOffloads(n.Links)
		return err
	})
	if err != nil {
		return b, fmt.Errorf("look at %s: %w", n.Name, err)
	}
	return b, nil
}

// untouched is the first generation of a rule set (nf_tables_init_net in net/netfilter/nf_tables_api.c).
const untouched = 1

// generation is the generation of the rule set in the namespace of the calling thread. The question alone would load
// nf_tables, so it is asked only where that is there.
func generation() (uint32, error) {
	if !loaded("nf_tables") {
		return untouched, nil
	}
	ask, err := open(unix.NETLINK_NETFILTER)
	if isMissing(err) {
		return untouched, nil
	}
	if err != nil {
		return 0, err
	}
	defer ask.close()
	id, err := (&ruleset{ask: ask}).generation()
	if isMissing(err) || errors.Is(err, unix.EPERM) {
		return untouched, nil
	}
	return id, err
}

// featureWords is the number of words of feature bits that are read (NETDEV_FEATURE_COUNT is below 96).
const featureWords = 3

// wantedOffloads asks for the features of links (ETHTOOL_GFEATURES in linux/ethtool.h): of each word those that were
// asked for, which the kernel does not change by itself.
func wantedOffloads(links []state.Link) (map[string]string, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(socket)
	type block struct{ available, requested, active, neverChanged uint32 }
	all := make(map[string]string, len(links))
	for i := range links {
		value := struct {
			command, size uint32
			features      [featureWords]block
		}{command: unix.ETHTOOL_GFEATURES, size: featureWords}
		var request struct {
			name  [unix.IFNAMSIZ]byte
			value unsafe.Pointer
			_     [16]byte // the rest of struct ifreq
		}
		copy(request.name[:unix.IFNAMSIZ-1], links[i].Name)
		request.value = unsafe.Pointer(&value)
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCETHTOOL,
			uintptr(unsafe.Pointer(&request)))
		if errno != 0 {
			continue // it is gone, or has none
		}
		words := ""
		for _, b := range value.features {
			words += " " + strconv.FormatUint(uint64(b.requested&b.available), 16)
		}
		all[links[i].Name] = words
	}
	return all, nil
}
