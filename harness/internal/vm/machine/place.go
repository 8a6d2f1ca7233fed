package machine

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cavaliergopher/cpio"

	"netnscheck/harness/internal/vm/qemu"
	"netnscheck/harness/internal/vm/wire"
)

// DefaultQuiet is how long the harness in a guest may tell nothing, by the guest's clock.
const DefaultQuiet = 15 * time.Minute

// place checks what a guest is made of, and makes its folder with its initramfs: the image, and behind it another
// archive with the request and the files of this run (Documentation/driver-api/early-userspace/buffer-format.rst).
func (g *Guest) place(t Terminal) error {
	if qemu.Installed() != nil {
		return &CannotError{Package: qemu.Package, Cause: fmt.Errorf("start the guest: %s is missing", qemu.Program)}
	}
	if g.Virtual && g.CPUs > 1 {
		return fmt.Errorf("start the guest: virtual time has one processor, not %d", g.CPUs)
	}
	var err error
	if g.Folder, err = filepath.Abs(g.Folder); err != nil {
		return err
	}
	if _, err := os.Stat(g.Kernel); err != nil {
		return &CannotError{Cause: fmt.Errorf("read the kernel: %w", err)}
	}
	if err := os.MkdirAll(g.Folder, 0o755); err != nil {
		return &CannotError{Cause: fmt.Errorf("make the folder of the guest: %w", err)}
	}
	more, err := g.more(t)
	if err != nil {
		return err
	}
	if err := join(filepath.Join(g.Folder, initrdFile), g.Initrd, more); err != nil {
		return &CannotError{Cause: fmt.Errorf("write the initramfs: %w", err)}
	}
	return nil
}

// more is the archive with the request and the files of this run.
func (g *Guest) more(t Terminal) ([]byte, error) {
	request := wire.Request{Args: g.Args, Env: g.Env, User: g.User, Limit: g.Limit,
		Quiet: cmp.Or(g.Quiet, DefaultQuiet), Hostname: "netnscheck"}
	if t != nil {
		rows, columns := t.Size()
		request.Terminal, request.Quiet = &wire.Size{Rows: rows, Columns: columns}, 0
		request.Env = append(request.Env, "TERM="+cmp.Or(os.Getenv("TERM"), "linux"))
	}
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	files := maps.Clone(g.Files)
	if files == nil {
		files = map[string][]byte{}
	}
	files[wire.RequestFile] = text
	return archive(files)
}

// archive is a cpio archive of files, with their folders.
func archive(files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	to := cpio.NewWriter(&out)
	made := map[string]bool{".": true}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		clean := strings.TrimPrefix(path.Clean("/"+name), "/")
		var parents []string
		for dir := path.Dir(clean); !made[dir]; dir = path.Dir(dir) {
			made[dir] = true
			parents = append(parents, dir)
		}
		slices.Reverse(parents)
		for _, dir := range parents {
			if err := to.WriteHeader(&cpio.Header{Name: dir, Mode: cpio.TypeDir | 0o755, Links: 2}); err != nil {
				return nil, err
			}
		}
		head := cpio.Header{Name: clean, Mode: cpio.TypeReg | 0o644, Links: 1, Size: int64(len(files[name]))}
		if err := to.WriteHeader(&head); err != nil {
			return nil, err
		}
		if _, err := to.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := to.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// join writes the image and the archive behind it, which begins at a multiple of four bytes.
func join(path, image string, more []byte) (err error) {
	from, err := os.Open(image)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, to.Close()); err != nil {
			os.Remove(path)
		}
	}()
	size, err := io.Copy(to, from)
	if err != nil {
		return err
	}
	if _, err := to.Write(make([]byte, -size&3)); err != nil {
		return err
	}
	_, err = to.Write(more)
	return err
}
