package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/state"
)

// inet4 and inet6 are the sysctls of each interface in a state, with their index in the arrays that come with each link
// (IFLA_INET_CONF, linux/ip.h, from 1; IFLA_INET6_CONF, linux/ipv6.h, from 0). Their values for `all` and `default` are
// read by RTM_GETNETCONF if that has them (netconf is the attribute in linux/netconf.h), else from files, which is
// slow.
var (
	inet4 = []interfaceSysctl{
		{"forwarding", 1, netconfForwarding}, {"rp_filter", 8, netconfRPFilter}, {"proxy_arp", 3, netconfProxyNeigh},
		{"arp_ignore", 19, 0}, {"arp_announce", 18, 0}, {"accept_local", 23, 0},
		{"proxy_arp_pvlan", 25, onlyOfLinks},
	}
	inet6 = []interfaceSysctl{
		{"forwarding", 0, netconfForwarding}, {"disable_ipv6", 26, 0}, {"accept_dad", 27, 0},
		{"proxy_ndp", 22, netconfProxyNeigh},
		{"force_forwarding", 59, 0}, // since 6.17
	}
)

type interfaceSysctl struct {
	name    string
	place   int
	netconf uint16
}

const (
	rtmGetNetconf     = 82
	netconfIfindex    = 1
	netconfForwarding = 2
	netconfRPFilter   = 3
	netconfProxyNeigh = 5
	// onlyOfLinks is for a sysctl that the kernel reads of each interface alone.
	onlyOfLinks = 0xffff
)

// sysctlFolder are sysctls of one folder that are read from files. Opening the folder once halves the cost.
type sysctlFolder struct {
	prefix string
	names  []string
}

var sysctlFolders = []sysctlFolder{
	{"net.ipv4.", []string{"icmp_echo_ignore_all", "ping_group_range"}},
	{"net.ipv6.icmp.", []string{"echo_ignore_all"}},
	{"net.bridge.", []string{"bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables"}},
	{"net.ipv4.conf.all.", filesOf(inet4)}, {"net.ipv4.conf.default.", filesOf(inet4)},
	{"net.ipv6.conf.all.", filesOf(inet6)}, {"net.ipv6.conf.default.", filesOf(inet6)},
}

func filesOf(sysctls []interfaceSysctl) []string {
	var names []string
	for _, s := range sysctls {
		if s.netconf == 0 {
			names = append(names, s.name)
		}
	}
	return names
}

// readNetconf adds the sysctls that come neither with the links nor from files.
func (r *reading) readNetconf() error {
	netconf, err := readNetconf(r.route)
	r.Sysctls = append(netconf, r.files...)
	return err
}

// readNetconf reads the values of `all` and `default` that RTM_GETNETCONF reports for both families, and
// net.ipv4.ip_forward, which is another name for net.ipv4.conf.all.forwarding.
func readNetconf(c *conversation) ([]state.Sysctl, error) {
	var all []state.Sysctl
	for _, family := range []struct {
		id     byte
		prefix string
		names  []interfaceSysctl
	}{{unix.AF_INET, "net.ipv4.conf.", inet4}, {unix.AF_INET6, "net.ipv6.conf.", inet6}} {
		found, err := dump(c, rtmGetNetconf, []byte{family.id, 0, 0, 0}, func(body []byte) ([]state.Sysctl, bool) {
			if len(body) < 4 || body[0] != family.id {
				return nil, false
			}
			var who string
			values := map[uint16]string{}
			attributes(body[4:], func(kind uint16, data []byte) {
				values[kind] = fmt.Sprint(int32(number(data)))
			})
			switch values[netconfIfindex] {
			case "-1":
				who = "all."
			case "-2":
				who = "default."
			default:
				return nil, false // an interface
			}
			var known []state.Sysctl
			for _, s := range family.names {
				if value, ok := values[s.netconf]; ok && s.netconf != 0 {
					known = append(known, state.Sysctl{Key: family.prefix + who + s.name, Value: value})
				}
			}
			return known, true
		})
		if errors.Is(err, unix.EOPNOTSUPP) {
			continue // a kernel without this family
		}
		if err != nil {
			return nil, err
		}
		all = append(all, slices.Concat(found...)...)
	}
	for _, s := range all {
		if s.Key == "net.ipv4.conf.all.forwarding" {
			all = append(all, state.Sysctl{Key: "net.ipv4.ip_forward", Value: s.Value})
		}
	}
	return all, nil
}

// readSysctls reads, on a thread in the namespace, the sysctls that are read from files. Those this kernel lacks (all
// of IPv6, for example) are left out.
func readSysctls() ([]state.Sysctl, error) { return readFolders(sysctlFolders) }

// readFolders reads, on a thread in the namespace, those of the sysctls that this kernel has.
func readFolders(folders []sysctlFolder) ([]state.Sysctl, error) {
	var all []state.Sysctl
	for _, folder := range folders {
		path, err := sysctlPath(strings.TrimSuffix(folder.prefix, "."))
		if err != nil {
			return nil, err
		}
		at, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", path, err)
		}
		for _, name := range folder.names {
			value, err := readValue(at, name)
			if errors.Is(err, unix.ENOENT) {
				continue
			}
			if err != nil {
				unix.Close(at)
				return nil, err
			}
			all = append(all, state.Sysctl{Key: folder.prefix + name, Value: value})
		}
		unix.Close(at)
	}
	return all, nil
}

// linkSysctls reads the sysctls that come with a link, with a % in the place of its name.
func linkSysctls(data []byte) []state.Sysctl {
	var all []state.Sysctl
	pick := func(prefix string, names []interfaceSysctl, first int, values []byte) {
		for _, s := range names {
			if at := 4 * (s.place - first); at+4 <= len(values) {
				all = append(all, state.Sysctl{Key: prefix + s.name,
					Value: fmt.Sprint(int32(native.Uint32(values[at:])))})
			}
		}
	}
	attributes(data, func(family uint16, data []byte) {
		attributes(data, func(kind uint16, data []byte) {
			switch {
			case family == unix.AF_INET && kind == unix.IFLA_INET_CONF:
				pick("net.ipv4.conf.%.", inet4, 1, data)
			case family == unix.AF_INET6 && kind == unix.IFLA_INET6_CONF:
				pick("net.ipv6.conf.%.", inet6, 0, data)
			}
		})
	})
	return all
}

// interfaceKey inserts the interface into a key of linkSysctls. As in sysctl(8), a dot in its name becomes a slash.
func interfaceKey(key, name string) string {
	return strings.Replace(key, "%", strings.ReplaceAll(name, ".", "/"), 1)
}

// Sysctl reads one sysctl of a namespace. The key has dots or slashes, as in sysctl(8). The error wraps ENOENT if there
// is no such sysctl.
func Sysctl(ctx context.Context, w *netns.World, ns, key string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	var value string
	err := w.Do(ns, func() (err error) {
		value, err = readSysctl(key)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read sysctl %s in %s: %w", key, ns, err)
	}
	return value, nil
}

// readSysctl reads a sysctl of the namespace of the calling thread.
func readSysctl(key string) (string, error) {
	path, err := sysctlPath(key)
	if err != nil {
		return "", err
	}
	return readValue(unix.AT_FDCWD, path)
}

// readValue reads the file of a sysctl, without its trailing newline.
func readValue(at int, path string) (string, error) {
	fd, err := unix.Openat(at, path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("open %s: %w", path, err)
	}
	defer unix.Close(fd)
	var buffer [4096]byte
	n, err := unix.Read(fd, buffer[:])
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return strings.TrimRight(string(buffer[:n]), "\n"), nil
}

// sysctlPath is the file of a key: whichever of dot and slash comes first is the separator, and the other one stands
// for it within a name.
func sysctlPath(key string) (string, error) {
	path := key
	if at := strings.IndexAny(key, "./"); at >= 0 && key[at] == '.' {
		path = strings.Map(func(r rune) rune {
			switch r {
			case '.':
				return '/'
			case '/':
				return '.'
			}
			return r
		}, key)
	}
	for _, part := range strings.Split(path, "/") {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("read sysctl %q: %w", key, unix.ENOENT)
		}
	}
	return "/proc/sys/" + path, nil
}
