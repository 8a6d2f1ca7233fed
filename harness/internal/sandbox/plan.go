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

// plan is what init needs to know about the host to build the sandbox. It is sent through the control socket.
type plan struct {
	// Visible are files and directories that stay visible wherever they are: first those of PATH, then those that the
	// user named.
	Visible []*visible `json:"visible,omitempty"`
	// Homes are directories that an empty one replaces; the first is the caller's home.
	Homes []string `json:"homes,omitempty"`
	// Masked are sockets and FIFOs in use on the host: a read-only mount does not prevent connecting and writing to
	// them.
	Masked []string `json:"masked,omitempty"`
	// TUN adds /dev/net/tun.
	TUN bool `json:"tun,omitempty"`
	// Open gives the worker the host's files as they are, which the tests of this project need.
	Open bool `json:"open,omitempty"`
	// Trial only finds out whether the sandbox and a lab can be made.
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

// ofPath is what has to stay visible for PATH and LD_LIBRARY_PATH. It is looked up once.
var ofPath = sync.OnceValue(func() *visible {
	var dirs []string
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH"} {
		dirs = append(dirs, filepath.SplitList(os.Getenv(name))...)
	}
	return look(slices.DeleteFunc(dirs, func(dir string) bool { return !filepath.IsAbs(dir) }), isHidden)
})

// absolute makes paths absolute.
func absolute(paths []string) (all []string) {
	for _, path := range paths {
		if abs, err := filepath.Abs(path); err == nil {
			all = append(all, abs)
		}
	}
	return all
}

// isHidden reports whether a path is in a hidden place: in a home, or outside the directories that are shown.
func isHidden(path string) bool {
	return !isShown(path) || slices.ContainsFunc(homes(), func(dir string) bool { return within(path, dir) })
}

// homes are the caller's home and working directory. One that does not exist or is part of the system, such as /, is
// left out.
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
	if dir, err := os.Getwd(); err == nil { // somebody's work
		add(dir)
	}
	return all
})

// ofSystem reports whether a directory is one that programs cannot do without.
func ofSystem(dir string) bool {
	if dir == "/" {
		return true
	}
	return slices.Contains(shown, dir) || slices.Contains([]string{"/lib", "/lib64", "/proc", "/sys", "/dev"}, dir)
}

// within reports whether path is dir or is below it.
func within(path, dir string) bool {
	return path == dir || dir == "/" || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}

// plainFolders is set when directories of the sandbox turn out not to be overlays on this host, so that sockets and
// FIFOs in them have to be masked.
var plainFolders atomic.Bool

// gates returns the paths of sockets and FIFOs that are in use and may be in what stays visible. Those in hidden
// directories are left out.
func gates() []string {
	var all []string
	add := func(path string) {
		if filepath.IsAbs(path) && isShown(path) {
			all = append(all, path)
		}
	}
	if text, err := os.ReadFile("/proc/net/unix"); err == nil {
		for line := range strings.Lines(string(text)) {
			// The last field, the path, may contain spaces.
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

// openFIFOs returns the named FIFOs that processes visible to the caller have open.
func openFIFOs() []string {
	var found []string
	processes, err := filepath.Glob("/proc/[0-9]*/fd")
	if err != nil {
		return nil
	}
	for _, dir := range processes {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // it has ended, or belongs to somebody else
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

// maxPlan limits what init reads, in bytes.
const maxPlan = 16 << 20

// send writes the length of the plan and the plan, so that the receiver reads nothing of what follows on the socket.
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
