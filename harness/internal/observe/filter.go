package observe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// The dumps of nf_tables are read by our own conversation, which recognizes interrupted dumps, keeps the errno, and
// sees unknown expressions. The library github.com/google/nftables/expr parses the expressions.

// families are the names of table families in nft(8).
var families = map[byte]string{
	unix.NFPROTO_INET: "inet", unix.NFPROTO_IPV4: "ip", unix.NFPROTO_ARP: "arp", unix.NFPROTO_NETDEV: "netdev",
	unix.NFPROTO_BRIDGE: "bridge", unix.NFPROTO_IPV6: "ip6",
}

// hookWord is nft's name for a hook.
func hookWord(family byte, number uint32) string {
	words := []string{"prerouting", "input", "forward", "output", "postrouting", "ingress"}
	switch family {
	case unix.NFPROTO_ARP:
		words = []string{"input", "output", "forward"}
	case unix.NFPROTO_NETDEV:
		words = []string{"ingress", "egress"}
	}
	if int(number) >= len(words) {
		return fmt.Sprint(number)
	}
	return words[number]
}

// ruleset is the content of nf_tables in a namespace, as the kernel sends it.
type ruleset struct {
	ask    *conversation
	tables []*table
	sets   map[place]*filterSet
	links  map[int]string // names by index
	ipsets []state.IPSet
}

// place identifies a chain or a set.
type place struct {
	family      byte
	table, name string
}

type table struct {
	family  byte
	name    string
	dormant bool
	chains  []*chain
}

type chain struct {
	state.FilterChain
	rules []rawRule
}

// rawRule is a rule as the kernel sends it.
type rawRule struct {
	in          place
	handle      uint64
	expressions []byte
	userdata    []byte
}

// errChanged is for rules that kept changing while they were read.
var errChanged = errors.New("the rules changed while they were read")

// openFilters opens, on a thread in the namespace, the conversation with nf_tables and ipset, if one of them is loaded,
// and reads the tables of iptables-legacy.
func (r *reading) openFilters() {
	var err error
	if loaded("nf_tables") || ipsetLoaded() {
		if r.netfilter, err = open(unix.NETLINK_NETFILTER); err != nil && !isMissing(err) {
			r.notRead("nftables", err)
		}
	}
	r.openLegacy()
}

// readFilters reads nf_tables. If the kernel refuses that, or the rules keep changing, they are recorded as unread,
// which is not an error.
func (r *reading) readFilters() error {
	r.Filters, r.Unread = nil, nil
	r.readLegacy()
	filters, err := r.filters()
	var refusal unix.Errno
	switch {
	case err == nil:
		r.Filters = filters
	case errors.As(err, &refusal), errors.Is(err, errChanged), errors.Is(err, errInterrupted):
		r.Unread = []string{"nftables: " + filterRefusal(err)}
	default:
		return err
	}
	return nil
}

func filterRefusal(err error) string {
	if errors.Is(err, unix.EPERM) {
		return "no permission"
	}
	return err.Error()
}

// notRead records that a part of netfilter could not be read.
func (r *reading) notRead(what string, err error) { r.unreadOnce(what + ": " + filterRefusal(err)) }

// unreadOnce records what is not read, however often it is tried.
func (r *reading) unreadOnce(what string) {
	if !slices.Contains(r.unreadable, what) {
		r.unreadable = append(r.unreadable, what)
	}
}

// isMissing reports whether the kernel refused the first request because it lacks netfilter or nf_tables: then there
// are no filters.
func isMissing(err error) bool {
	return errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL)
}

// filters reads the rule set until two readings in a row are equal and the generation did not change during the last
// one. Without tables, that is one request. It reads twice because a commit changes the generation a moment before it
// activates the rules (nf_tables_commit in net/netfilter/nf_tables_api.c): a reading in that moment is a mixture of old
// and new rules, without a change of generation.
func (r *reading) filters() ([]state.FilterTable, error) {
	if r.netfilter == nil || !loaded("nf_tables") {
		return nil, nil
	}
	var last []state.FilterTable
	for range patience {
		set := &ruleset{ask: r.netfilter, sets: map[place]*filterSet{}, links: r.names,
			ipsets: r.IPSets}
		if err := set.readTables(); isMissing(err) || err == nil && len(set.tables) == 0 {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		before, err := set.generation()
		if err != nil {
			return nil, err
		}
		found, err := set.read()
		if errors.Is(err, errChanged) {
			continue
		}
		if err != nil {
			return nil, err
		}
		after, err := set.generation()
		if err != nil {
			return nil, err
		}
		if after == before && reflect.DeepEqual(found, last) {
			return found, nil
		}
		last = found
	}
	return nil, errChanged
}

// read reads everything. It reads the tables again, because those read before the generation may belong to an older
// one.
func (s *ruleset) read() ([]state.FilterTable, error) {
	for _, part := range []func() error{s.readTables, s.readChains, s.readSets, s.readRules} {
		if err := part(); err != nil {
			return nil, err
		}
	}
	var all []state.FilterTable
	for _, t := range s.tables {
		if t.dormant {
			continue // its chains are not registered at hooks
		}
		out := state.FilterTable{Family: families[t.family], Name: t.name}
		for _, c := range t.chains {
			for _, raw := range c.rules {
				rules, err := s.understand(raw)
				if err != nil {
					return nil, err
				}
				c.Rules = append(c.Rules, rules...)
			}
			out.Chains = append(out.Chains, c.FilterChain)
		}
		all = append(all, out)
	}
	return all, nil
}

// list dumps all objects of a kind. It copies them from the buffer of the conversation.
func (s *ruleset) list(kind uint16, question []byte, f func(family byte, attrs []byte)) error {
	bodies, err := dump(s.ask, unix.NFNL_SUBSYS_NFTABLES<<8|kind, question, func(body []byte) ([]byte, bool) {
		return bytes.Clone(body), len(body) >= sizeofNFGen
	})
	if errors.Is(err, unix.ENOENT) {
		return errChanged
	}
	for _, body := range bodies {
		f(body[0], body[sizeofNFGen:])
	}
	return err
}

const sizeofNFGen = 4 // struct nfgenmsg

// generation is the generation of the rule set, which every change increments.
func (s *ruleset) generation() (id uint32, err error) {
	err = s.ask.ask(unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETGEN, 0, make([]byte, sizeofNFGen), func(body []byte) {
		if len(body) >= sizeofNFGen {
			attributes(body[sizeofNFGen:], func(kind uint16, data []byte) {
				if kind == unix.NFTA_GEN_ID {
					id = big(data)
				}
			})
		}
	})
	return id, err
}

func (s *ruleset) readTables() error {
	s.tables = nil
	return s.list(unix.NFT_MSG_GETTABLE, make([]byte, sizeofNFGen), func(family byte, attrs []byte) {
		t := &table{family: family}
		attributes(attrs, func(kind uint16, data []byte) {
			switch kind {
			case unix.NFTA_TABLE_NAME:
				t.name = text(data)
			case unix.NFTA_TABLE_FLAGS:
				const dormant = 1
				t.dormant = big(data)&dormant != 0
			}
		})
		s.tables = append(s.tables, t)
	})
}

func (s *ruleset) readChains() error {
	return s.list(unix.NFT_MSG_GETCHAIN, make([]byte, sizeofNFGen), func(family byte, attrs []byte) {
		c := &chain{}
		at := place{family: family}
		attributes(attrs, func(kind uint16, data []byte) {
			switch kind {
			case unix.NFTA_CHAIN_TABLE:
				at.table = text(data)
			case unix.NFTA_CHAIN_NAME:
				c.Name = text(data)
			case unix.NFTA_CHAIN_TYPE:
				c.Type = text(data)
			case unix.NFTA_CHAIN_POLICY:
				c.Policy = verdictWord(int32(big(data)))
			case unix.NFTA_CHAIN_HOOK:
				c.hook(family, data)
			}
		})
		for _, t := range s.tables {
			if t.family == family && t.name == at.table {
				t.chains = append(t.chains, c)
			}
		}
	})
}

// hook reads the hook, priority and devices of a base chain.
func (c *chain) hook(family byte, data []byte) {
	const device, devices, deviceName = 3, 4, 1 // NFTA_HOOK_DEV, NFTA_HOOK_DEVS, NFTA_DEVICE_NAME
	attributes(data, func(kind uint16, data []byte) {
		switch kind {
		case unix.NFTA_HOOK_HOOKNUM:
			c.Hook = hookWord(family, big(data))
		case unix.NFTA_HOOK_PRIORITY:
			c.Priority = int(int32(big(data)))
		case device:
			if name := text(data); !slices.Contains(c.Devices, name) {
				c.Devices = append(c.Devices, name)
			}
		case devices:
			attributes(data, func(kind uint16, data []byte) {
				if name := text(data); kind == deviceName && !slices.Contains(c.Devices, name) {
					c.Devices = append(c.Devices, name)
				}
			})
		}
	})
}

func (s *ruleset) readRules() error {
	return s.list(unix.NFT_MSG_GETRULE, make([]byte, sizeofNFGen), func(family byte, attrs []byte) {
		raw := rawRule{in: place{family: family}}
		attributes(attrs, func(kind uint16, data []byte) {
			switch kind {
			case unix.NFTA_RULE_TABLE:
				raw.in.table = text(data)
			case unix.NFTA_RULE_CHAIN:
				raw.in.name = text(data)
			case unix.NFTA_RULE_HANDLE:
				raw.handle = bigger(data)
			case unix.NFTA_RULE_EXPRESSIONS:
				raw.expressions = data
			case unix.NFTA_RULE_USERDATA:
				raw.userdata = data
			}
		})
		for _, t := range s.tables {
			for _, c := range t.chains {
				if t.family == family && t.name == raw.in.table && c.Name == raw.in.name {
					c.rules = append(c.rules, raw)
				}
			}
		}
	})
}

// bigger is a number of eight bytes in network order; 0 for any other length.
func bigger(data []byte) uint64 {
	if len(data) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(data)
}

// big is a number of four bytes in network order; 0 for any other length.
func big(data []byte) uint32 {
	if len(data) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(data)
}
