package observe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"netnscheck/harness/state"
)

// readTCFilters reads the filters of clsact and ingress, where links have these disciplines (linux/pkt_cls.h,
// linux/rtnetlink.h). There is one dump for each hook of a link.
func (r *reading) readTCFilters() error {
	r.TCFilters = nil
	for _, q := range r.Qdiscs {
		hooks := []string{"ingress", "egress"}
		switch q.Kind {
		case "clsact":
		case "ingress":
			hooks = hooks[:1]
		default:
			continue
		}
		i := slices.IndexFunc(r.links, func(l *link) bool { return l.Name == q.Dev })
		if i < 0 {
			continue
		}
		for _, hook := range hooks {
			found, err := r.tcFilters(r.links[i], hook)
			if err != nil {
				return err
			}
			r.TCFilters = append(r.TCFilters, found...)
		}
	}
	return nil
}

func (r *reading) tcFilters(l *link, hook string) ([]state.TCFilter, error) {
	parent := map[string]uint32{"ingress": 0xfffffff2, "egress": 0xfffffff3}[hook] // TC_H_MIN_INGRESS and _EGRESS
	question := make([]byte, sizeofTC)
	native.PutUint32(question[4:], uint32(l.Index))
	native.PutUint32(question[12:], parent)
	found, err := dump(r.route, unix.RTM_GETTFILTER, question, func(body []byte) (state.TCFilter, bool) {
		f, ok := r.parseTCFilter(body)
		f.Dev, f.Hook = l.Name, hook
		return f, ok
	})
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) {
		return nil, nil // the link or the discipline is gone
	}
	return found, err
}

// parseTCFilter reads a filter. An answer that only tells of the place that a filter has among the others, or of a hash
// table of u32, is none.
func (r *reading) parseTCFilter(body []byte) (state.TCFilter, bool) {
	if len(body) < sizeofTC {
		return state.TCFilter{}, false
	}
	var options []byte
	handle, info := native.Uint32(body[8:]), native.Uint32(body[16:])
	protocol := binary.BigEndian.AppendUint16(nil, nativeOrder(uint16(info)))
	f := state.TCFilter{Priority: uint16(info >> 16), Protocol: etherType.value(nil, protocol)}
	if f.Protocol == "0x0003" { // ETH_P_ALL
		f.Protocol = "all"
	}
	if native.Uint32(body[4:]) == sharedBlock {
		f.Block = native.Uint32(body[12:])
	}
	attributes(body[sizeofTC:], func(kind uint16, data []byte) {
		switch kind {
		case tcaKind:
			f.Kind = text(data)
		case tcaOptions:
			options = data
		case nl.TCA_CHAIN:
			f.Chain = uint32(number(data))
		}
	})
	if len(options) == 0 {
		return f, false
	}
	f.Handle = handleText(f.Kind, handle)
	c := classifier{reading: r, filter: &f}
	switch f.Kind {
	case "u32":
		if !c.u32(handle, options) {
			return f, false
		}
	case "flower":
		c.flower(options)
	case "matchall":
		attributes(options, func(kind uint16, data []byte) {
			if kind == nl.TCA_MATCHALL_ACT {
				f.Actions = r.parseTCActions(data)
			}
		})
	case "bpf":
		c.bpf(options)
	default:
		c.unknown(f.Kind)
	}
	return f, true
}

// sharedBlock stands in place of a link for filters that several links have (TCM_IFINDEX_MAGIC_BLOCK).
const sharedBlock = 0xffffffff

// nativeOrder is a number in network order that was read in native order, or the other way round.
func nativeOrder(n uint16) uint16 { return binary.BigEndian.Uint16(native.AppendUint16(nil, n)) }

// handleText is the handle of a filter as tc(8) prints it; that of u32 is a hash table, a bucket and a node.
func handleText(kind string, handle uint32) string {
	switch {
	case handle == 0:
		return ""
	case kind != "u32":
		return fmt.Sprintf("0x%x", handle)
	}
	bucket := ""
	if b := handle >> 12 & 0xff; b != 0 {
		bucket = fmt.Sprintf("%x", b)
	}
	return fmt.Sprintf("%x:%s:%x", handle>>20, bucket, handle&0xfff)
}

// classifier reads what a filter matches.
type classifier struct {
	reading *reading
	filter  *state.TCFilter
}

func (c *classifier) unknown(what string) {
	if !slices.Contains(c.filter.NotUnderstood, what) {
		c.filter.NotUnderstood = append(c.filter.NotUnderstood, what)
	}
}

// match adds a condition on a field, under a mask of which only a prefix of an address is understood. A mask of zeros
// is no condition.
func (c *classifier) match(f field, value, mask []byte) {
	bits, ok := maskBits(mask)
	switch {
	case ok && bits == 0:
		return
	case !ok || bits < 8*len(mask) && !f.isAddress() || len(value) != len(mask):
		c.unknown(f.key)
		return
	}
	low, high := prefixBounds(value, f.size, bits)
	c.filter.Matches = append(c.filter.Matches, state.FilterMatch{Key: f.key, Values: []string{f.span(nil, low, high)}})
}

func (c *classifier) bpf(options []byte) {
	program := state.BPFProgram{}
	attributes(options, func(kind uint16, data []byte) {
		switch kind {
		case nl.TCA_BPF_NAME:
			program.Name = text(data)
		case nl.TCA_BPF_ID:
			program.ID = uint32(number(data))
		case nl.TCA_BPF_ACT:
			c.filter.Actions = c.reading.parseTCActions(data)
		}
	})
	c.filter.Program = &program
	c.unknown("bpf")
}
