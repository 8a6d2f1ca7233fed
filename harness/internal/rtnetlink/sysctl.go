package rtnetlink

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"netnscheck/harness/internal/netns"
	"netnscheck/harness/scenario/operation"
)

// sysctlPath is the file of a key: dots separate the parts, and a slash stands for a dot in a name, as in sysctl(8). A
// key that would lead out of /proc/sys maps to a file that does not exist: the harness writes here with its own rights,
// not those of a program of the scenario.
func sysctlPath(key string) string {
	path := strings.NewReplacer(".", "/", "/", ".").Replace(key)
	if !filepath.IsLocal(path) || path != filepath.Clean(path) {
		return "/proc/sys/" + strings.ReplaceAll(path, "/", `\`)
	}
	return filepath.Join("/proc/sys", path)
}

// setSysctls writes the values in order. Like sysctl(8) it goes on after a refusal.
func setSysctls(w *netns.World, ns string, op operation.SysctlSet) (string, error) {
	var text strings.Builder
	var refusals error
	err := within(w, ns, func() error {
		for _, v := range op.Values {
			err := writeSysctl(v.Key, v.Value)
			switch {
			case err != nil && refusals == nil:
				refusals = err
			case err == nil && !op.Quiet:
				fmt.Fprintf(&text, "%s = %s\n", v.Key, v.Value)
			}
		}
		return nil
	})
	if err == nil {
		err = refusals
	}
	return text.String(), err
}

// writeSysctl writes one value in the calling thread's namespace.
func writeSysctl(key, value string) error {
	path := sysctlPath(key)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return sysctlRefusal(key, path, err)
	}
	_, err = f.Write([]byte(value + "\n"))
	if err := errors.Join(err, f.Close()); err != nil {
		return sysctlRefusal(key, path, err)
	}
	return nil
}

func sysctlRefusal(key, path string, err error) error {
	if errors.Is(err, unix.ENOENT) {
		return refuse(1, err, "sysctl: cannot stat %s", path)
	}
	return refuse(1, err, "sysctl: setting key %q", key)
}

// showSysctls prints the values; a key that is a directory stands for everything below it.
func showSysctls(w *netns.World, ns string, op operation.SysctlShow) (string, error) {
	var text strings.Builder
	var refusals error
	err := within(w, ns, func() error {
		for _, key := range op.Keys {
			if err := readSysctl(&text, key, op.ValueOnly); err != nil && refusals == nil {
				refusals = err
			}
		}
		return nil
	})
	if err == nil {
		err = refusals
	}
	return text.String(), err
}

func readSysctl(text *strings.Builder, key string, valueOnly bool) error {
	root := sysctlPath(key)
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return sysctlRefusal(key, root, err)
		}
		if entry.IsDir() {
			return nil
		}
		value, err := os.ReadFile(path)
		var errno syscall.Errno
		if errors.As(err, &errno) && path != root || errors.Is(err, unix.EACCES) { // write-only ones are left out
			return nil
		}
		if err != nil {
			return sysctlRefusal(key, path, err)
		}
		name := key
		if path != root {
			name = strings.NewReplacer(".", "/", "/", ".").Replace(strings.TrimPrefix(path, "/proc/sys/"))
		}
		for _, line := range bytes.Split(bytes.TrimSuffix(value, []byte("\n")), []byte("\n")) {
			if valueOnly {
				fmt.Fprintf(text, "%s\n", line)
			} else {
				fmt.Fprintf(text, "%s = %s\n", name, line)
			}
		}
		return nil
	})
}
