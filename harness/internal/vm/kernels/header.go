package kernels

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// The header of an x86 kernel image, Documentation/arch/x86/boot.rst: offsets in the file.
const (
	headerMagic   = 0x202 // "HdrS"
	headerVersion = 0x20e // where the version is, from 0x200
	headerFlags   = 0x236 // xloadflags; bit 0: the kernel is for 64 bits
	headerSize    = 0x270
)

// ReadRelease reads the release, as uname -r prints it, from a bzImage. Whatever the file is instead is an error that
// says so.
func ReadRelease(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read the kernel: %w", err)
	}
	defer f.Close()
	start := make([]byte, 64<<10) // a version lies in the first of the setup sectors, of which there are at most 64
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return "", fmt.Errorf("read the kernel %s: %w", file, err)
	}
	release, err := parseHeader(start[:n])
	if err != nil {
		return "", fmt.Errorf("read the kernel %s: %w", file, err)
	}
	return release, nil
}

func parseHeader(start []byte) (string, error) {
	if other := otherThanKernel(start); other != "" {
		return "", fmt.Errorf("it is %s, not an x86 kernel image (bzImage, vmlinuz)", other)
	}
	if len(start) < headerSize || !bytes.Equal(start[headerMagic:headerMagic+4], []byte("HdrS")) {
		return "", errors.New("it is no kernel image: an x86 bzImage or vmlinuz has \"HdrS\" at byte 514")
	}
	if binary.LittleEndian.Uint16(start[headerFlags:])&1 == 0 {
		return "", errors.New("it is a kernel for 32 bits; the programs of a guest are for 64")
	}
	at := int(binary.LittleEndian.Uint16(start[headerVersion:])) + 0x200
	if at == 0x200 || at >= len(start) {
		return "", nil // an image may have no version
	}
	text, _, _ := bytes.Cut(start[at:], []byte{0})
	release, _, _ := strings.Cut(string(text), " ")
	for _, c := range release {
		if c <= ' ' || c > '~' {
			return "", errors.New("the version in its header is no text")
		}
	}
	return release, nil
}

// otherThanKernel names what a file is that people take for an x86 kernel image; "" if none of these.
func otherThanKernel(start []byte) string {
	has := func(at int, magic string) bool {
		return len(start) >= at+len(magic) && string(start[at:at+len(magic)]) == magic
	}
	switch {
	case len(start) == 0:
		return "an empty file"
	case has(0, "\x7fELF"):
		return "an ELF file (vmlinux, or a program)"
	case has(0x38, "ARM\x64"):
		return "a kernel for arm64"
	case has(0x38, "RSC\x05"):
		return "a kernel for RISC-V"
	case has(0, "\x1f\x8b"):
		return "a file compressed by gzip (kernels for arm64 and RISC-V are)"
	case has(0, "070701"), has(0, "070702"):
		return "a cpio archive (an initrd)"
	case has(0, "!<arch>\n"):
		return "a package or an archive"
	case has(0, "\x28\xb5\x2f\xfd"), has(0, "\xfd7zXZ\x00"):
		return "a compressed file (an initrd, perhaps)"
	}
	return ""
}
