package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// setting is a file below /proc/sys/net with the kernel's own default.
type setting struct{ path, value string }

// inheritable are the settings that a new namespace may inherit from the host's initial one, where Docker or systemd
// may have changed them (devconf_inherit_init_net, ip-sysctl.rst). Lessons start from the kernel's own defaults.
var inheritable = []setting{
	{"ipv4/ip_forward", "0"},
	{"ipv4/conf/all/rp_filter", "0"}, {"ipv4/conf/default/rp_filter", "0"},
	{"ipv4/conf/all/arp_ignore", "0"}, {"ipv4/conf/default/arp_ignore", "0"},
	{"ipv4/conf/all/arp_announce", "0"}, {"ipv4/conf/default/arp_announce", "0"},
	{"ipv4/conf/all/accept_local", "0"}, {"ipv4/conf/default/accept_local", "0"},
	{"ipv4/conf/all/proxy_arp", "0"}, {"ipv4/conf/default/proxy_arp", "0"},
	{"ipv4/conf/all/promote_secondaries", "0"}, {"ipv4/conf/default/promote_secondaries", "0"},
	{"ipv4/conf/all/route_localnet", "0"}, {"ipv4/conf/default/route_localnet", "0"},
	{"ipv6/conf/all/forwarding", "0"},
	{"ipv6/conf/all/disable_ipv6", "0"}, {"ipv6/conf/default/disable_ipv6", "0"},
}

// deviations returns the settings that differ in the calling thread's namespace.
func deviations() (found []setting, err error) {
	for _, s := range inheritable {
		value, err := os.ReadFile("/proc/sys/net/" + s.path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // this kernel does not have it
		}
		if err != nil {
			return nil, fmt.Errorf("read the settings of a new namespace: %w", err)
		}
		if strings.TrimSpace(string(value)) != s.value {
			found = append(found, s)
		}
	}
	return found, nil
}

// inherited returns the deviations of new namespaces on this host, read in the first one that is made.
var inherited = sync.OnceValues(deviations)

// plain gives the calling thread's new namespace the kernel's default settings.
func plain() error {
	settings, err := inherited()
	if err != nil {
		return err
	}
	return put(settings)
}

func put(settings []setting) error {
	for _, s := range settings {
		if err := os.WriteFile("/proc/sys/net/"+s.path, []byte(s.value), 0); err != nil {
			return fmt.Errorf("reset what a new namespace has inherited: %w", err)
		}
	}
	return nil
}

// Plain gives a namespace that a program has just made the kernel's default settings. Those that the World makes have
// them already.
func (w *World) Plain(name string) error {
	if settings, err := inherited(); err == nil && len(settings) == 0 {
		return nil
	}
	if err := w.Do(name, plain); err != nil {
		return fmt.Errorf("prepare namespace %s: %w", name, err)
	}
	return nil
}
