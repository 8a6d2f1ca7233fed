package modules

import (
	"bytes"
	"compress/gzip"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// ko is a module with entries in .modinfo: an ELF file with that section and the names of its sections.
func ko(entries ...string) []byte {
	info := []byte(strings.Join(entries, "\x00") + "\x00")
	names := []byte("\x00.modinfo\x00.shstrtab\x00")
	const header, section = 64, 64
	at := uint64(header)
	head := elf.Header64{Ident: [16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1}, Type: uint16(elf.ET_REL),
		Machine: uint16(elf.EM_X86_64), Version: 1, Ehsize: header, Shentsize: section, Shnum: 3, Shstrndx: 2,
		Shoff: at + uint64(len(info)+len(names))}
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, head)
	b.Write(info)
	b.Write(names)
	for _, s := range []elf.Section64{
		{},
		{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: at, Size: uint64(len(info))},
		{Name: 10, Type: uint32(elf.SHT_STRTAB), Off: at + uint64(len(info)), Size: uint64(len(names))},
	} {
		binary.Write(&b, binary.LittleEndian, s)
	}
	return b.Bytes()
}

const magic = "vermagic=6.1.0-57-amd64 SMP preempt mod_unload modversions "

func file(data []byte) *fstest.MapFile { return &fstest.MapFile{Data: data} }

// packed compresses as kbuild does.
func packed(t *testing.T, ending string, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch ending {
	case ".xz":
		w, err = xz.NewWriter(&b)
	case ".gz":
		w = gzip.NewWriter(&b)
	case ".zst":
		w, err = zstd.NewWriter(&b)
	}
	if err == nil {
		_, err = w.Write(data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tree(t *testing.T, files fstest.MapFS) *Tree {
	t.Helper()
	tree, err := Open(files)
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func debian(t *testing.T) fstest.MapFS {
	return fstest.MapFS{
		"modules.builtin":                       file([]byte("kernel/net/ipv6/ipv6.ko\nkernel/net/core/net-cls.ko\n")),
		"modules.builtin.modinfo":               file([]byte("ipv6.license=GPL\x00ipv6.alias=net-pf-10\x00")),
		"kernel/drivers/net/veth.ko":            file(ko(magic, "depends=", "alias=rtnl-link-veth")),
		"kernel/drivers/net/vxlan.ko.xz":        file(packed(t, ".xz", ko(magic, "depends=udp_tunnel,ip6_udp_tunnel"))),
		"kernel/net/ipv4/udp_tunnel.ko.gz":      file(packed(t, ".gz", ko(magic, "depends="))),
		"kernel/net/ipv6/ip6_udp_tunnel.ko.zst": file(packed(t, ".zst", ko(magic, "depends=udp_tunnel"))),
		"kernel/net/8021q/8021q.ko":             file(ko(magic, "depends=mrp", "alias=rtnl-link-vlan")),
		"kernel/net/802/mrp.ko":                 file(ko(magic, "depends=")),
		"kernel/lib/libcrc32c.ko":               file(ko(magic, "depends=", "softdep=pre: crc32c post: tail-end")),
		"kernel/net/netfilter/nf_tables.ko":     file(ko(magic, "depends=libcrc32c,ipv6", "softdep=pre: sha")),
		"kernel/crypto/crc32c_generic.ko":       file(ko(magic, "depends=", "alias=crc32c")),
		"kernel/arch/x86/crypto/crc32c-intel.ko": file(ko(magic, "depends=", "alias=crc32c",
			"alias=cpu:type:x86,ven*fam*mod*:feature:*0094*")),
		"kernel/arch/x86/crypto/sha-ni.ko": file(ko(magic, "depends=", "alias=sha")),
		"kernel/net/tail-end.ko":           file(ko(magic, "depends=")),
		"kernel/net/loop_a.ko":             file(ko(magic, "depends=loop_b")),
		"kernel/net/loop_b.ko":             file(ko(magic, "depends=loop_a")),
		"kernel/net/other.ko":              file(ko("vermagic=6.1.0-50-amd64 SMP", "depends=")),
		"kernel/net/halved.ko":             file(ko(magic, "depends=gone")),
		"kernel/net/cut.ko":                file(ko(magic)[:70]),
		"kernel/net/text.ko":               file([]byte("no module")),
		"kernel/net/both.ko":               file(ko(magic, "depends=loop_a")),
		"updates/both.ko":                  file(ko(magic, "depends=")),
		"build/scripts/x.ko":               file([]byte("no module of this tree")),
	}
}

func TestLoad(t *testing.T) {
	for _, c := range []struct {
		name    string
		wanted  string
		order   string // "?" marks soft ones
		missing string
		err     string
	}{
		{name: "alone", wanted: "veth", order: "veth"},
		{name: "after what it needs", wanted: "vxlan", order: "udp_tunnel ip6_udp_tunnel vxlan"},
		{name: "each once", wanted: "udp_tunnel vxlan udp-tunnel", order: "udp_tunnel ip6_udp_tunnel vxlan"},
		{name: "built in", wanted: "ipv6 net-cls net-pf-10 8021q", order: "mrp 8021q"},
		{name: "soft dependencies, the generic algorithm first", wanted: "nf_tables",
			order: "?sha_ni ?crc32c_generic libcrc32c ?tail_end nf_tables"},
		{name: "what there is none of", wanted: "veth nosuch nosuch crc32c", order: "veth", missing: "nosuch crc32c"},
		{name: "a circle ends", wanted: "loop_a", order: "loop_b loop_a"},
		{name: "updates go first", wanted: "both", order: "both"},
		{name: "another version", wanted: "other",
			err: "load kernel/net/other.ko: it is a module of 6.1.0-50-amd64, and the kernel is 6.1.0-57-amd64"},
		{name: "a lost one", wanted: "halved",
			err: "load kernel/net/halved.ko: it needs the module gone, which is not there"},
		{name: "a short file", wanted: "cut", err: "read the module kernel/net/cut.ko: it is no kernel module: "},
		{name: "text", wanted: "text", err: "read the module kernel/net/text.ko: it is no kernel module: "},
		{name: "not of the tree", wanted: "x", missing: "x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			order, missing, err := tree(t, debian(t)).Load("6.1.0-57-amd64", strings.Fields(c.wanted)...)
			if c.err != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			var names []string
			for _, m := range order {
				if m.Soft {
					m.Name = "?" + m.Name
				}
				names = append(names, m.Name)
			}
			if got := strings.Join(names, " "); err != nil || got != c.order || strings.Join(missing, " ") != c.missing {
				t.Errorf("%q, missing %q, %v; want %q, missing %q", got, missing, err, c.order, c.missing)
			}
		})
	}
}

func TestOpenSaysThatThereAreNone(t *testing.T) {
	if _, err := Open(fstest.MapFS{"README": file(nil)}); !errors.Is(err, ErrNone) {
		t.Errorf("a folder without modules: %v", err)
	}
	if _, err := Open(fstest.MapFS{"modules.builtin": file([]byte("kernel/net/ipv6/ipv6.ko\n"))}); err != nil {
		t.Errorf("a kernel with everything built in: %v", err)
	}
}

func TestDataIsUncompressed(t *testing.T) {
	tree := tree(t, debian(t))
	data, err := tree.Data("kernel/drivers/net/vxlan.ko.xz")
	if want := ko(magic, "depends=udp_tunnel,ip6_udp_tunnel"); err != nil || !bytes.Equal(data, want) {
		t.Errorf("%d bytes, %v; want %d", len(data), err, len(want))
	}
}

func TestAnswers(t *testing.T) {
	answers, err := tree(t, debian(t)).Answers("6.1.0-57-amd64", "8021q", "crc32c_intel", "nosuch", "ipv6")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, a := range answers {
		line := a.Alias + ":"
		for _, m := range a.Load {
			line += " " + m.Name
		}
		lines = append(lines, line)
	}
	want := []string{"8021q: mrp 8021q", "crc32c: crc32c_intel", "crc32c_intel: crc32c_intel", "rtnl_link_vlan: mrp 8021q"}
	if !slices.Equal(lines, want) {
		t.Errorf("got %q, want %q", lines, want)
	}
}

func FuzzModule(f *testing.F) {
	f.Add(ko(magic, "depends=a,b", "softdep=pre: x post: y", "alias=z"))
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := section(data)
		if err != nil {
			return
		}
		info := parseInfo(text)
		for _, name := range slices.Concat(info.Depends, info.Before, info.After) {
			if name == "" || strings.ContainsAny(name, "-\x00") {
				t.Errorf("the name %q", name)
			}
		}
	})
}
