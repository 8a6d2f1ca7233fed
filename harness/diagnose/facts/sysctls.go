package facts

import (
	"fmt"
	"strings"

	"netnscheck/harness/state"
)

// BridgeCalls is the setting by which bridged packets pass the filters of IP.
func BridgeCalls(family int) string {
	return map[int]string{4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}[family]
}

// CallsFilters reports whether a bridge shows what it bridges to the filters of IP: by the setting of its namespace, or
// by its own (br_nf_pre_routing() in net/bridge/br_netfilter_hooks.c). Without br_netfilter, which has the setting, the
// bridge's own has no effect.
func CallsFilters(n *state.Namespace, bridge *state.Link, family int) bool {
	switch setting := Sysctl(n, BridgeCalls(family)); {
	case setting == "" || bridge == nil || bridge.Bridge == nil:
		return setting == "1"
	case family == 4:
		return setting == "1" || bridge.Bridge.NFCallIPTables
	default:
		return setting == "1" || bridge.Bridge.NFCallIP6Tables
	}
}

// Sysctl is the value of a sysctl, "" if it was not read.
func Sysctl(n *state.Namespace, key string) string {
	for _, s := range n.Sysctls {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// OfLink is the key of an interface's sysctl; dots in its name become slashes, as sysctl(8) wants it.
func OfLink(family int, link, name string) string {
	return fmt.Sprintf("net.ipv%d.conf.%s.%s", family, strings.ReplaceAll(link, ".", "/"), name)
}

// Number is a sysctl as a number, 0 if it was not read.
func Number(n *state.Namespace, key string) int {
	value := 0
	fmt.Sscan(Sysctl(n, key), &value)
	return value
}

// Strongest is the greater of a sysctl's values for an interface and for all, which IPv4 applies (IN_DEV_MAXCONF,
// include/linux/inetdevice.h).
func Strongest(n *state.Namespace, l *state.Link, name string) int {
	return max(Number(n, OfLink(4, "all", name)), Number(n, OfLink(4, l.Name, name)))
}
