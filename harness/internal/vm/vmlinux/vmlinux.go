// Package vmlinux gets the kernel itself out of the compressed image that distributions ship. It is pure. A kernel
// unpacks itself when it boots: in emulation that costs as much as the rest of the boot, for one packed with xz.
// internal/vm/kernels may import it; it never reads or writes files.
package vmlinux

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/xi2/xz"
)

// The header of an x86 kernel image, Documentation/arch/x86/boot.rst: offsets in the file.
const (
	setupSectors  = 0x1f1
	magic         = 0x202 // "HdrS"
	version       = 0x206
	payloadOffset = 0x248 // from the protected-mode code
	payloadLength = 0x24c
	headerEnd     = 0x250
)

// Size limits a kernel, in bytes.
const Size = 1 << 30

// ErrNotDirect means that the kernel can be started by its own image alone: it was built without CONFIG_PVH.
var ErrNotDirect = errors.New("it was built without CONFIG_PVH")

// Unpack returns the ELF file in an image (bzImage, vmlinuz). The error is ErrNotDirect if qemu could not start that
// file by its PVH entry.
func Unpack(image []byte) ([]byte, error) {
	packed, err := payload(image)
	if err != nil {
		return nil, fmt.Errorf("unpack the kernel: %w", err)
	}
	kernel, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("unpack the kernel: %w", err)
	}
	if err := direct(kernel); err != nil {
		return nil, fmt.Errorf("unpack the kernel: %w", err)
	}
	return kernel, nil
}

// payload is the packed kernel in an image, which has its place there since version 2.08 of the protocol.
func payload(image []byte) ([]byte, error) {
	if len(image) < headerEnd || string(image[magic:magic+4]) != "HdrS" {
		return nil, errors.New("it is no kernel image")
	}
	if binary.LittleEndian.Uint16(image[version:]) < 0x208 {
		return nil, errors.New("its header is older than Linux 2.6.26")
	}
	code := (uint64(image[setupSectors]) + 1) * 512
	begin := code + uint64(binary.LittleEndian.Uint32(image[payloadOffset:]))
	end := begin + uint64(binary.LittleEndian.Uint32(image[payloadLength:]))
	if begin >= end || end > uint64(len(image)) {
		return nil, errors.New("the image is cut short")
	}
	return image[begin:end], nil
}

// unpack unpacks what scripts/Makefile.lib has packed. All but gzip have the size of the kernel behind them.
func unpack(packed []byte) ([]byte, error) {
	const size = 4
	var from io.Reader
	var err error
	switch whole := bytes.NewReader(packed); {
	case bytes.HasPrefix(packed, []byte("\x1f\x8b")):
		gz, err2 := gzip.NewReader(whole)
		if from, err = gz, err2; err == nil {
			gz.Multistream(false)
		}
	case len(packed) < size:
		err = io.ErrUnexpectedEOF
	case bytes.HasPrefix(packed, []byte("\xfd7zXZ\x00")):
		from, err = xz.NewReader(bytes.NewReader(packed[:len(packed)-size]), 0)
	case bytes.HasPrefix(packed, []byte("\x28\xb5\x2f\xfd")):
		z, err2 := zstd.NewReader(bytes.NewReader(packed[:len(packed)-size]), zstd.WithDecoderConcurrency(1))
		if from, err = z, err2; err == nil {
			defer z.Close()
		}
	default:
		err = errors.New("it is packed in a way other than gzip, xz and zstd")
	}
	if err != nil {
		return nil, err
	}
	kernel, err := io.ReadAll(io.LimitReader(from, Size+1))
	if err == nil && len(kernel) > Size {
		err = fmt.Errorf("it is larger than %d MiB", Size>>20)
	}
	return kernel, err
}

// direct checks that a kernel has the note with its PVH entry (XEN_ELFNOTE_PHYS32_ENTRY,
// include/xen/interface/elfnote.h).
func direct(kernel []byte) error {
	file, err := elf.NewFile(bytes.NewReader(kernel))
	if err != nil {
		return err
	}
	if file.Class != elf.ELFCLASS64 || file.Machine != elf.EM_X86_64 {
		return fmt.Errorf("it is for %v, not for x86-64", file.Machine)
	}
	for _, p := range file.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		notes, err := io.ReadAll(io.LimitReader(p.Open(), 1<<20))
		if err != nil {
			return err
		}
		if hasEntry(notes) {
			return nil
		}
	}
	return ErrNotDirect
}

func hasEntry(notes []byte) bool {
	const head, entry = 12, 18
	padded := func(n uint32) uint64 { return (uint64(n) + 3) &^ 3 }
	for len(notes) >= head {
		name, desc := binary.LittleEndian.Uint32(notes), binary.LittleEndian.Uint32(notes[4:])
		kind := binary.LittleEndian.Uint32(notes[8:])
		if kind == entry && bytes.HasPrefix(notes[head:], []byte("Xen\x00")) {
			return true
		}
		next := head + padded(name) + padded(desc)
		if next > uint64(len(notes)) {
			return false
		}
		notes = notes[next:]
	}
	return false
}
