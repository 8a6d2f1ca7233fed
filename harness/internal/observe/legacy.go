package observe

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// The tables of iptables-legacy are read as iptables-legacy itself does, by options of a socket
// (linux/netfilter_ipv4/ip_tables.h and its like for IPv6): C structures in native byte order. To ask for a table
// makes it, with its hooks, so only those are asked for that /proc/net/ip_tables_names has.

// legacyTable is a table as the kernel gives it.
type legacyTable struct {
	family  byte
	name    string
	info    legacyInfo
	entries []byte
}

// legacyInfo is struct ipt_getinfo: where the chain of each hook begins, and where its policy is.
type legacyInfo struct {
	name             [32]byte
	hooks            uint32
	begins, policies [5]uint32
	count, size      uint32
}

const (
	legacyGetInfo    = 64 // IPT_SO_GET_INFO, IP6T_SO_GET_INFO
	legacyGetEntries = 65
)

// openLegacy reads, on a thread in the namespace, the tables of iptables-legacy and ip6tables-legacy that are there.
// Those of arptables-legacy are only listed.
func (r *reading) openLegacy() {
	for _, of := range []struct {
		word   string
		family byte
	}{{"ip", unix.NFPROTO_IPV4}, {"ip6", unix.NFPROTO_IPV6}, {"arp", unix.NFPROTO_ARP}} {
		names, err := readValue(unix.AT_FDCWD, "/proc/thread-self/net/"+of.word+"_tables_names")
		if err != nil {
			continue
		}
		var unread []string
		for _, name := range strings.Fields(names) {
			t := legacyTable{family: of.family, name: name}
			if err := t.read(); err != nil {
				unread = append(unread, name)
				continue
			}
			r.legacy = append(r.legacy, t)
		}
		if len(unread) > 0 {
			r.unreadable = append(r.unreadable,
				fmt.Sprintf("the tables of %stables-legacy: %s", of.word, strings.Join(unread, ", ")))
		}
	}
}

// read asks for a table in the namespace of the calling thread, again if it was replaced between the two questions.
func (t *legacyTable) read() error {
	domain, level := unix.AF_INET, unix.IPPROTO_IP
	switch t.family {
	case unix.NFPROTO_ARP:
		return unix.EOPNOTSUPP
	case unix.NFPROTO_IPV6:
		domain, level = unix.AF_INET6, unix.IPPROTO_IPV6
	}
	socket, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	for range patience {
		t.info = legacyInfo{}
		copy(t.info.name[:len(t.info.name)-1], t.name)
		err := socketOption(socket, level, legacyGetInfo, unsafe.Pointer(&t.info), unsafe.Sizeof(t.info))
		if err != nil {
			return err
		}
		const header = 40 // struct ipt_get_entries: name, size, alignment
		answer := make([]byte, header+int(t.info.size))
		copy(answer, t.info.name[:])
		native.PutUint32(answer[len(t.info.name):], t.info.size)
		err = socketOption(socket, level, legacyGetEntries, unsafe.Pointer(&answer[0]), uintptr(len(answer)))
		if t.entries = answer[header:]; !errors.Is(err, unix.EAGAIN) {
			return err
		}
	}
	return unix.EAGAIN
}

func socketOption(socket, level, option int, value unsafe.Pointer, size uintptr) error {
	length := uint32(size)
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(socket), uintptr(level), uintptr(option), uintptr(value),
		uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// readLegacy translates the tables.
func (r *reading) readLegacy() {
	r.LegacyFilters = nil
	for i := range r.legacy {
		r.LegacyFilters = append(r.LegacyFilters, r.legacy[i].table(r))
	}
}

// legacyEntry is a rule in the blob of a table.
type legacyEntry struct {
	at, next int
	data     []byte // up to the next one
	target   []byte
}

// all are the entries of the table.
func (t *legacyTable) all() (entries []legacyEntry) {
	layout := legacyLayouts[t.family]
	for at := 0; at+layout.size <= len(t.entries); {
		data := t.entries[at:]
		target, next := int(native.Uint16(data[layout.offsets:])), int(native.Uint16(data[layout.offsets+2:]))
		if target < layout.size || target+targetHeader > next || next > len(data) {
			break
		}
		entries = append(entries, legacyEntry{at: at, next: at + next, data: data[:target], target: data[target:next]})
		at += next
	}
	return entries
}

// targetHeader is the size of struct xt_entry_target and xt_entry_match without what follows: the size, the name and
// the revision.
const targetHeader = 32

// named is the name, the revision and the structure of a match or target.
func (e legacyEntry) named(part []byte) (name string, revision uint32, info []byte) {
	return text(part[2:31]), uint32(part[31]), part[targetHeader:]
}

// table is the table with its chains. The chain of a hook ends with its policy, a chain of the user begins with an
// entry that has its name and ends with a return.
func (t *legacyTable) table(r *reading) state.FilterTable {
	out := state.FilterTable{Family: families[t.family], Name: t.name}
	type part struct {
		chain   state.FilterChain
		entries []legacyEntry
	}
	var parts []*part
	begins := map[int]string{} // the names of the chains, by their first entry
	all := t.all()
	for i, e := range all {
		hook := slices.IndexFunc(t.info.begins[:], func(begin uint32) bool { return int(begin) == e.at })
		if hook >= 0 && t.info.hooks&(1<<hook) != 0 {
			parts = append(parts, &part{chain: legacyChain(t.name, hook)})
		} else if name, _, info := e.named(e.target); name == "ERROR" {
			if i < len(all)-1 { // the last one ends the table
				parts = append(parts, &part{chain: state.FilterChain{Name: text(info)}})
				begins[e.next] = text(info)
			}
			continue
		}
		if len(parts) > 0 {
			last := parts[len(parts)-1]
			last.entries = append(last.entries, e)
		}
	}
	for _, p := range parts {
		for i, e := range p.entries {
			u := &understanding{ruleset: &ruleset{links: r.names, ipsets: r.IPSets},
				raw: rawRule{in: place{family: t.family}}}
			u.rule.Handle = uint64(i + 1)
			u.legacyEntry(e, begins)
			if i < len(p.entries)-1 {
				p.chain.Rules = append(p.chain.Rules, u.finish()...)
			} else if p.chain.Hook != "" {
				p.chain.Policy = u.rule.Verdict
			}
		}
		out.Chains = append(out.Chains, p.chain)
	}
	return out
}

// legacyChain is the chain of a hook, with the priority that the kernel gives to the table's functions there.
func legacyChain(table string, hook int) state.FilterChain {
	priority := map[string]int{"raw": -300, "mangle": -150, "security": 50}[table]
	kind := "filter"
	word := hookWord(unix.NFPROTO_IPV4, uint32(hook))
	switch {
	case table == "nat":
		kind, priority = "nat", 100
		if word == "prerouting" || word == "output" {
			priority = -100
		}
	case table == "mangle" && word == "output":
		kind = "route"
	}
	return state.FilterChain{Name: strings.ToUpper(word), Type: kind, Hook: word, Priority: priority}
}
