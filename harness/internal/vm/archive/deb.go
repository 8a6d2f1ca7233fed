package archive

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"pault.ag/go/debian/deb"
)

// Control is what a package in a file says of itself.
type Control struct {
	Name, Version, Architecture string
}

// ReadControl reads what a .deb file says of itself.
func ReadControl(file string) (Control, error) {
	d, closer, err := deb.LoadFile(file)
	if err != nil {
		return Control{}, fmt.Errorf("read the package %s: %w", file, err)
	}
	defer closer()
	return controlOf(d), nil
}

func controlOf(d *deb.Deb) Control {
	return Control{d.Control.Package, d.Control.Version.String(), d.Control.Architecture.String()}
}

// Unpack writes files of a package in a .deb file to a folder: each to the path that place gives for its path in the
// package, none for which that is "". Its scripts are not run. Folders are made as they are needed, and devices are
// left out.
func Unpack(file, folder string, place func(name string) string) error {
	d, closer, err := deb.LoadFile(file)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", file, err)
	}
	defer closer()
	root, err := os.OpenRoot(folder) // nothing in a package leads out of it
	if err != nil {
		return fmt.Errorf("unpack %s: %w", file, err)
	}
	defer root.Close()
	for {
		h, err := d.Data.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("unpack %s: %w", file, err)
		}
		name := memberName(h.Name)
		to := place(name)
		if to == "" {
			continue
		}
		if err := unpack(root, to, h, d.Data, place); err != nil {
			return fmt.Errorf("unpack %s of %s: %w", name, path.Base(file), err)
		}
	}
}

// memberName is the path of a member without the "./" at its beginning.
func memberName(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

func unpack(root *os.Root, to string, h *tar.Header, data io.Reader, place func(string) string) error {
	if h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeSymlink && h.Typeflag != tar.TypeLink {
		return nil
	}
	if err := root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return err
	}
	// Of several packages the last one has its way.
	if err := root.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	switch h.Typeflag {
	case tar.TypeSymlink:
		return root.Symlink(h.Linkname, to)
	case tar.TypeLink:
		if other := place(memberName(h.Linkname)); other != "" {
			return root.Link(other, to)
		}
		return fmt.Errorf("it is a link to %s, which is left out", h.Linkname)
	}
	f, err := root.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, fs.FileMode(h.Mode&0o777)|0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, data); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
