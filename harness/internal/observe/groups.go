package observe

import (
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"netnscheck/harness/internal/netns"
)

// Memberships are the multicast groups of a link as text, sorted: by IGMP, by MLD, and those whose frames the device
// takes.
type Memberships struct{ IPv4, IPv6, MAC []string }

// Groups reads the multicast groups of the link with this index from the files that ip-maddress(8) reads: netlink has
// those of IPv4 only since Linux 6.14 (RTM_GETMULTICAST).
func Groups(w *netns.World, ns string, index int) (m Memberships, err error) {
	err = w.Do(ns, func() error {
		for _, of := range []struct {
			file  string
			parse func(text string, index int) []string
			into  *[]string
		}{
			{"igmp", parseIGMP, &m.IPv4}, {"igmp6", parseIGMP6, &m.IPv6}, {"dev_mcast", parseDevMulticast, &m.MAC},
		} {
			data, err := os.ReadFile("/proc/thread-self/net/" + of.file)
			if os.IsNotExist(err) {
				continue // a kernel without IPv6, or without multicast for IPv4
			}
			if err != nil {
				return err
			}
			*of.into = of.parse(string(data), index)
			slices.Sort(*of.into)
		}
		return nil
	})
	return m, err
}

// parseIGMP reads /proc/net/igmp (igmp_mc_seq_show in net/ipv4/igmp.c): a line for each link, which begins with its
// index, and below it an indented one for each group, which begins with the address in the byte order of the machine.
func parseIGMP(text string, index int) (groups []string) {
	ours := false
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case !strings.HasPrefix(line, "\t"):
			ours = fields[0] == strconv.Itoa(index)
		case ours:
			if n, err := strconv.ParseUint(fields[0], 16, 32); err == nil {
				groups = append(groups, netip.AddrFrom4([4]byte(native.AppendUint32(nil, uint32(n)))).String())
			}
		}
	}
	return groups
}

// parseIGMP6 reads /proc/net/igmp6 (igmp6_mc_seq_show in net/ipv6/mcast.c): index, name, group, …
func parseIGMP6(text string, index int) (groups []string) {
	for _, data := range hexadecimals(text, index, 2) {
		if addr, ok := netip.AddrFromSlice(data); ok {
			groups = append(groups, addr.String())
		}
	}
	return groups
}

// parseDevMulticast reads /proc/net/dev_mcast (dev_mc_seq_show in net/core/net-procfs.c): index, name, two counts,
// group.
func parseDevMulticast(text string, index int) (groups []string) {
	for _, data := range hexadecimals(text, index, 4) {
		groups = append(groups, net.HardwareAddr(data).String())
	}
	return groups
}

// hexadecimals are the addresses in one column of the lines that begin with the index.
func hexadecimals(text string, index, column int) (all [][]byte) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) <= column || fields[0] != strconv.Itoa(index) {
			continue
		}
		if data, err := hex.DecodeString(fields[column]); err == nil {
			all = append(all, data)
		}
	}
	return all
}
