package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// plan is what init needs to know of the machine to build the sandbox. It travels through the control socket.
type plan struct {
	// Visible are files and folders that stay to be seen wherever they lie: first those of PATH, then those that the
	// user named.
	Visible []*visible `json:"visible,omitempty"`
	// Homes are folders in whose place there is an empty one; the first is the caller's own.
	Homes []string `json:"homes,omitempty"`
	// Masked are sockets and FIFOs that somebody uses: to read-only mounts they are open.
	Masked []string `json:"masked,omitempty"`
	// TUN says that /dev/net/tun is there.
	TUN bool `json:"tun,omitempty"`
	// Open says that the worker sees the machine's files as they are, which the tests of this project need.
	Open bool `json:"open,omitempty"`
	// Trial asks only whether all that labs need can be had.
	Trial bool `json:"trial,omitempty"`

	FirstUID int  `json:"first_uid"`
	FirstGID int  `json:"first_gid"`
	Size     int  `json:"size"`
	Foreign  bool `json:"foreign,omitempty"`
}

func (p plan) ids() ids { return ids{p.FirstUID, p.FirstGID, p.Size, p.Foreign} }

// planOf makes the plan of a command.
func planOf(c Command, i ids) plan {
	p := plan{TUN: c.TUN || c.Open, Open: c.Open, Trial: c.trial, Homes: homes(), Visible: []*visible{ofPath()},
		FirstUID: i.firstUID, FirstGID: i.firstGID, Size: i.size, Foreign: i.foreign}
	if plainFolders.Load() {
		p.Masked = gates()
	}
	if len(c.Visible) > 0 {
		p.Visible = append(p.Visible, look(absolute(c.Visible), isHidden))
	}
	return p
}

// ofPath is what the folders of programs and of their libraries are and lead to; they are looked up once.
var ofPath = sync.OnceValue(func() *visible {
	var dirs []string
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH"} {
		dirs = append(dirs, filepath.SplitList(os.Getenv(name))...)
	}
	return look(slices.DeleteFunc(dirs, func(dir string) bool { return !filepath.IsAbs(dir) }), isHidden)
})

// absolute are the paths from / on.
func absolute(paths []string) (all []string) {
	for _, path := range paths {
		if abs, err := filepath.Abs(path); err == nil {
			all = append(all, abs)
		}
	}
	return all
}

// isHidden tells whether a path lies in a place that is hidden.
func isHidden(path string) bool {
	return !isShown(path) || slices.ContainsFunc(homes(), func(dir string) bool { return within(path, dir) })
}

// homes are the caller's home and the folder that he works in. A home that is a part of the system, as / is, or is
// not there, is left as it is.
var homes = sync.OnceValue(func() []string {
	var all []string
	add := func(dir string) {
		if !filepath.IsAbs(dir) {
			return
		}
		dir = filepath.Clean(dir)
		if real, err := filepath.EvalSymlinks(dir); err == nil && !slices.Contains(all, real) && !ofSystem(real) {
			all = append(all, real)
		}
	}
	add(os.Getenv("HOME"))
	if u, err := user.Current(); err == nil {
		add(u.HomeDir)
	}
	if dir, err := os.Getwd(); err == nil { // what somebody works on
		add(dir)
	}
	return all
})

// ofSystem tells whether a folder is one that programs cannot do without.
func ofSystem(dir string) bool {
	if dir == "/" {
		return true
	}
	return slices.Contains(shown, dir) || slices.Contains([]string{"/lib", "/lib64", "/proc", "/sys", "/dev"}, dir)
}

// within tells whether path is dir or lies below it.
func within(path, dir string) bool {
	return path == dir || dir == "/" || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// plainFolders says that on this machine folders of the sandbox are no copies, so that sockets and FIFOs in them have
// to be masked.
var plainFolders atomic.Bool

// gates are the paths of sockets and FIFOs that are in use and that may lie in what stays visible. Those that lie in
// folders which are hidden as a whole are left out.
func gates() []string {
	var all []string
	add := func(path string) {
		if filepath.IsAbs(path) && isShown(path) {
			all = append(all, path)
		}
	}
	if text, err := os.ReadFile("/proc/net/unix"); err == nil {
		for line := range strings.Lines(string(text)) {
			// The last field, the path, may have blanks in it.
			if fields := strings.SplitN(strings.TrimRight(line, "\n"), " ", 8); len(fields) == 8 {
				add(strings.TrimLeft(fields[7], " 0123456789"))
			}
		}
	}
	for _, path := range openFIFOs() {
		add(path)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// openFIFOs are the FIFOs with a name that processes which the caller may look at have open.
func openFIFOs() []string {
	var found []string
	processes, err := filepath.Glob("/proc/[0-9]*/fd")
	if err != nil {
		return nil
	}
	for _, dir := range processes {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // it has ended, or is somebody else's
		}
		for _, e := range entries {
			target, err := os.Readlink(filepath.Join(dir, e.Name()))
			if err != nil || !filepath.IsAbs(target) || within(target, "/dev") || within(target, "/proc") {
				continue
			}
			if st, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && st.Mode()&fs.ModeNamedPipe != 0 {
				found = append(found, target)
			}
		}
	}
	return found
}

// maxPlan bounds what init reads.
const maxPlan = 16 << 20

// send writes the plan, its length before it, so that nothing of what follows on the socket is read with it.
func (p plan) send(to io.Writer) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	_, err = to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
	return err
}

func receivePlan(from io.Reader) (plan, error) {
	var p plan
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return p, fmt.Errorf("read the plan of the sandbox: %w", err)
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > maxPlan {
		return p, errors.New("read the plan of the sandbox: it is too long")
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(from, text); err != nil {
		return p, fmt.Errorf("read the plan of the sandbox: %w", err)
	}
	return p, json.Unmarshal(text, &p)
}
