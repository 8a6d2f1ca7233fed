package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"strings"
	"sync"
)

// setting is a file below /proc/sys/net with the kernel's own default, and what new namespaces have on this host if
// that is something else.
type setting struct{ path, value, inherited string }

// inheritable are the settings that a new namespace may inherit from the host's initial one, where Docker or systemd
// may have changed them (devconf_inherit_init_net, ip-sysctl.rst). Lessons start from the kernel's own defaults.
var inheritable = []setting{
	{path: "ipv4/ip_forward", value: "0"},
	{path: "ipv4/conf/all/rp_filter", value: "0"}, {path: "ipv4/conf/default/rp_filter", value: "0"},
	{path: "ipv4/conf/all/arp_ignore", value: "0"}, {path: "ipv4/conf/default/arp_ignore", value: "0"},
	{path: "ipv4/conf/all/arp_announce", value: "0"}, {path: "ipv4/conf/default/arp_announce", value: "0"},
	{path: "ipv4/conf/all/accept_local", value: "0"}, {path: "ipv4/conf/default/accept_local", value: "0"},
	{path: "ipv4/conf/all/proxy_arp", value: "0"}, {path: "ipv4/conf/default/proxy_arp", value: "0"},
	{path: "ipv6/conf/all/proxy_ndp", value: "0"}, {path: "ipv6/conf/default/proxy_ndp", value: "0"},
	{path: "ipv4/conf/all/promote_secondaries", value: "0"},
	{path: "ipv4/conf/default/promote_secondaries", value: "0"},
	{path: "ipv4/conf/all/route_localnet", value: "0"}, {path: "ipv4/conf/default/route_localnet", value: "0"},
	{path: "ipv6/conf/all/forwarding", value: "0"},
	{path: "ipv6/conf/all/disable_ipv6", value: "0"}, {path: "ipv6/conf/default/disable_ipv6", value: "0"},
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
		if s.inherited = strings.TrimSpace(string(value)); s.inherited != s.value {
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

// PlainNew gives the namespaces that programs have made since the last call the kernel's default settings, but for a
// setting that was changed meanwhile. Those that the World makes have them already.
func (w *World) PlainNew() error {
	settings, err := inherited()
	if err != nil || len(settings) == 0 {
		return err
	}
	inodes, err := w.Inodes()
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range w.notPlain(inodes) {
		errs = append(errs, w.Do(name, func() error { return putUnchanged(settings) }))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("prepare new namespaces: %w", err)
	}
	return nil
}

// notPlain are the names behind which there is a namespace that was not there the last time, and that the World has not
// made.
func (w *World) notPlain(inodes map[string]uint64) (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.plain, func(name string, inode uint64) bool { return inode != 0 && inodes[name] == 0 })
	for name, inode := range inodes {
		if inode == 0 {
			continue // a symbolic link: what it leads to has another name, or is no namespace of the lab
		}
		if was, seen := w.plain[name]; !seen || was != 0 && was != inode {
			names = append(names, name)
		}
		w.plain[name] = inode
	}
	return names
}

// putUnchanged is put for the settings that are as they were inherited.
func putUnchanged(settings []setting) error {
	var unchanged []setting
	for _, s := range settings {
		value, err := os.ReadFile("/proc/sys/net/" + s.path)
		if err != nil {
			return fmt.Errorf("read what a new namespace has inherited: %w", err)
		}
		if strings.TrimSpace(string(value)) == s.inherited {
			unchanged = append(unchanged, s)
		}
	}
	return put(unchanged)
}
