package vmlinux

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"netnscheck/harness/internal/labtest"
)

// kernel is an ELF file with a note of this name and kind.
func kernel(t testing.TB, machine elf.Machine, name string, kind uint32) []byte {
	t.Helper()
	var note, out bytes.Buffer
	put := func(to *bytes.Buffer, values ...any) {
		for _, v := range values {
			if err := binary.Write(to, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	put(&note, uint32(4), uint32(4), uint32(6), []byte("Lin\x00"), uint32(1)) // another one first
	put(&note, uint32(4), uint32(4), kind, []byte(name), uint32(0x1000000))
	head := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: 1, Phoff: 64, Ehsize: 64,
		Phentsize: 56, Phnum: 1}
	copy(head.Ident[:], "\x7fELF\x02\x01\x01")
	put(&out, head, elf.Prog64{Type: uint32(elf.PT_NOTE), Off: 120, Filesz: uint64(note.Len())})
	out.Write(note.Bytes())
	return out.Bytes()
}

// image is a kernel image with this payload.
func image(packed []byte) []byte {
	const code = 2 * 512
	head := make([]byte, code+16)
	head[setupSectors] = 1
	copy(head[magic:], "HdrS")
	binary.LittleEndian.PutUint16(head[version:], 0x20f)
	binary.LittleEndian.PutUint32(head[payloadOffset:], 16)
	binary.LittleEndian.PutUint32(head[payloadLength:], uint32(len(packed)))
	return append(head, packed...)
}

func gzipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(text); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnpack(t *testing.T) {
	good := kernel(t, elf.EM_X86_64, "Xen\x00", 18)
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, packed := range map[string][]byte{
		"gzip": gzipped(t, good), "zstd": append(w.EncodeAll(good, nil), 1, 2, 3, 4),
	} {
		got, err := Unpack(image(packed))
		if err != nil || !bytes.Equal(got, good) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	for name, c := range map[string]struct {
		image []byte
		want  string
	}{
		"nothing":         {nil, "no kernel image"},
		"cut short":       {image(gzipped(t, good))[:1100], "cut short"},
		"half a payload":  {image(gzipped(t, good)[:40]), "unexpected EOF"},
		"bzip2":           {image([]byte("BZh9 and more")), "other than gzip, xz and zstd"},
		"no ELF":          {image(gzipped(t, []byte("a text of many words"))), "bad magic number"},
		"another machine": {image(gzipped(t, kernel(t, elf.EM_AARCH64, "Xen\x00", 18))), "EM_AARCH64"},
		"no PVH":          {image(gzipped(t, kernel(t, elf.EM_X86_64, "Xen\x00", 17))), "CONFIG_PVH"},
		"a note like it":  {image(gzipped(t, kernel(t, elf.EM_X86_64, "GNU\x00", 18))), "CONFIG_PVH"},
	} {
		if _, err := Unpack(c.image); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := Unpack(image(gzipped(t, kernel(t, elf.EM_X86_64, "Xen\x00", 17)))); !errors.Is(err, ErrNotDirect) {
		t.Error(err)
	}
}

// TestPackagedKernels unpacks those of Debian that were fetched before.
func TestPackagedKernels(t *testing.T) {
	labtest.NeedsKernels(t)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	images, _ := filepath.Glob(filepath.Join(cache, "netnscheck/vm/kernels/*/vmlinuz"))
	if len(images) == 0 {
		t.Fatal("no kernel was fetched")
	}
	for _, path := range images {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if kernel, err := Unpack(text); err != nil || len(kernel) < len(text) {
			t.Errorf("%s: %d bytes, %v", path, len(kernel), err)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add(image(gzipped(f, kernel(f, elf.EM_X86_64, "Xen\x00", 18))))
	f.Add(kernel(f, elf.EM_X86_64, "Xen\x00", 18))
	f.Fuzz(func(t *testing.T, text []byte) {
		Unpack(text)
		hasEntry(text)
	})
}
