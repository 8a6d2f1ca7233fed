package modules

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// Info is what a module says of itself in its section .modinfo: entries key=value, each ended by a NUL
// (include/linux/moduleparam.h).
type Info struct {
	Depends       []string // modules that it needs (depends=)
	Before, After []string // modules and aliases wanted around it, if they can be had (softdep=pre: … post: …)
	Aliases       []string // other names by which it is asked for (alias=)
	Magic         string   // the kernel that it is made for (vermagic=)
}

// Release is the release of the kernel that the module is made for, as uname -r prints it.
func (i Info) Release() string {
	release, _, _ := strings.Cut(i.Magic, " ")
	return release
}

// maxModule is more than the size of any module of a distribution, in bytes: amdgpu.ko with its symbols has 30 MiB.
const maxModule = 256 << 20

// Info returns what a file of the tree says of itself.
func (t *Tree) Info(file string) (Info, error) {
	m, err := t.module(file)
	return m.info, err
}

// Data returns a module, uncompressed.
func (t *Tree) Data(file string) ([]byte, error) {
	m, err := t.module(file)
	return m.data, err
}

// module reads a file of the tree, once: to uncompress a module takes longer than all the rest.
func (t *Tree) module(file string) (module, error) {
	if m, ok := t.read[file]; ok {
		return m, nil
	}
	f, err := t.fsys.Open(file)
	if err != nil {
		return module{}, fmt.Errorf("read the module %s: %w", path.Base(file), err)
	}
	defer f.Close()
	data, err := uncompressed(f, path.Ext(file))
	if err != nil {
		return module{}, fmt.Errorf("read the module %s: %w", file, err)
	}
	text, err := section(data)
	if err != nil {
		return module{}, fmt.Errorf("read the module %s: %w", file, err)
	}
	m := module{parseInfo(text), data}
	t.read[file] = m
	return m, nil
}

func uncompressed(f fs.File, ending string) ([]byte, error) {
	var from io.Reader = bufio.NewReaderSize(f, 64<<10) // xz reads byte by byte
	var err error
	switch ending {
	case ".xz":
		from, err = xz.NewReader(from)
	case ".gz":
		from, err = gzip.NewReader(from)
	case ".zst":
		var decoder *zstd.Decoder
		if decoder, err = zstd.NewReader(from, zstd.WithDecoderConcurrency(1)); err == nil {
			defer decoder.Close()
			from = decoder
		}
	}
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(from, maxModule+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxModule {
		return nil, fmt.Errorf("it has more than %d MiB", maxModule>>20)
	}
	return data, nil
}

func section(module []byte) ([]byte, error) {
	f, err := elf.NewFile(bytes.NewReader(module))
	if err != nil {
		return nil, fmt.Errorf("it is no kernel module: %w", err)
	}
	s := f.Section(".modinfo")
	if s == nil {
		return nil, fmt.Errorf("it is no kernel module: it has no section .modinfo")
	}
	return s.Data()
}

func parseInfo(text []byte) (info Info) {
	for entry := range strings.SplitSeq(string(text), "\x00") {
		key, value, _ := strings.Cut(entry, "=")
		switch key {
		case "depends":
			for name := range strings.SplitSeq(value, ",") {
				if name != "" {
					info.Depends = append(info.Depends, normal(name))
				}
			}
		case "softdep":
			info.addSoft(value)
		case "alias":
			info.Aliases = append(info.Aliases, normal(value))
		case "vermagic":
			info.Magic = value
		}
	}
	return info
}

// addSoft reads a soft dependency: names after "pre:" and "post:", as in "pre: a b post: c".
func (i *Info) addSoft(value string) {
	var names *[]string
	for _, word := range strings.Fields(value) {
		switch {
		case word == "pre:":
			names = &i.Before
		case word == "post:":
			names = &i.After
		case names != nil:
			*names = append(*names, normal(word))
		}
	}
}
