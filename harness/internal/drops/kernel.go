package drops

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// kernel is what the running kernel says of itself by its BTF: where the fields lie that the program reads, and its
// names for the reasons.
type kernel struct {
	fields  fields
	reasons map[uint32]string
}

// fields are offsets in bytes.
type fields struct {
	skbDev, skbSock, skbHead, skbProtocol, skbNetwork, skbInner int32
	devNet, devName                                             int32
	sockNet                                                     int32
	netInode                                                    int32
}

// types is the BTF, which takes a while to read.
var types = btf.NewCache()

// theKernel is read once: the kernel stays the same. The error is an *Unavailable if it has no BTF, or no reasons.
var theKernel = sync.OnceValues(readKernel)

func readKernel() (*kernel, error) {
	types, err := types.Kernel()
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ebpf.ErrNotSupported) {
		return nil, &Unavailable{"the kernel has no description of its types (CONFIG_DEBUG_INFO_BTF)"}
	}
	if err != nil {
		return nil, fmt.Errorf("read the kernel's types: %w", err)
	}
	if !tellsReasons(types) {
		return nil, &Unavailable{"this kernel drops without a reason; reasons came with Linux 5.17"}
	}
	k := &kernel{reasons: map[uint32]string{}}
	var reasons *btf.Enum
	if err := types.TypeByName("skb_drop_reason", &reasons); err != nil {
		return nil, fmt.Errorf("read the kernel's types: %w", err)
	}
	for _, v := range reasons.Values {
		name := strings.TrimPrefix(v.Name, "SKB_DROP_REASON_")
		k.reasons[uint32(v.Value)] = strings.TrimPrefix(name, "SKB_")
	}
	for _, want := range []struct {
		to   *int32
		path string
	}{
		{&k.fields.skbDev, "sk_buff.dev"}, {&k.fields.skbSock, "sk_buff.sk"}, {&k.fields.skbHead, "sk_buff.head"},
		{&k.fields.skbProtocol, "sk_buff.protocol"}, {&k.fields.skbNetwork, "sk_buff.network_header"},
		{&k.fields.skbInner, "sk_buff.inner_network_header"}, {&k.fields.devNet, "net_device.nd_net.net"},
		{&k.fields.devName, "net_device.name"}, {&k.fields.sockNet, "sock.__sk_common.skc_net.net"},
		{&k.fields.netInode, "net.ns.inum"},
	} {
		if *want.to, err = offsetOf(types, want.path); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// tellsReasons reports whether the third argument of the tracepoint is the reason (its first one, in BTF, is the
// tracepoint's own).
func tellsReasons(types *btf.Spec) bool {
	var traced *btf.Typedef
	if types.TypeByName("btf_trace_kfree_skb", &traced) != nil {
		return false
	}
	pointer, ok := traced.Type.(*btf.Pointer)
	if !ok {
		return false
	}
	function, ok := pointer.Target.(*btf.FuncProto)
	if !ok || len(function.Params) < 4 {
		return false
	}
	reason, ok := function.Params[3].Type.(*btf.Enum)
	return ok && reason.Name == "skb_drop_reason"
}

// offsetOf is the offset of a field, whose path begins with the name of a structure.
func offsetOf(types *btf.Spec, path string) (int32, error) {
	names := strings.Split(path, ".")
	var outer *btf.Struct
	if err := types.TypeByName(names[0], &outer); err != nil {
		return 0, fmt.Errorf("read the kernel's types: %w", err)
	}
	var at btf.Bits
	var within btf.Type = outer
	for _, name := range names[1:] {
		m, offset, ok := member(within, name)
		if !ok {
			return 0, &Unavailable{"its types have no " + path}
		}
		at += offset
		within = btf.UnderlyingType(m.Type)
	}
	return int32(at.Bytes()), nil
}

// member finds a member of a structure or union, also in those without a name that are in it.
func member(t btf.Type, name string) (found btf.Member, offset btf.Bits, ok bool) {
	var members []btf.Member
	switch t := t.(type) {
	case *btf.Struct:
		members = t.Members
	case *btf.Union:
		members = t.Members
	}
	for _, m := range members {
		if m.Name == name {
			return m, m.Offset, true
		}
		if m.Name != "" {
			continue
		}
		if inner, at, ok := member(btf.UnderlyingType(m.Type), name); ok {
			return inner, m.Offset + at, true
		}
	}
	return btf.Member{}, 0, false
}

// reason is the kernel's name. Above the first 16 bits is the number of a subsystem with reasons of its own, which have
// no names in BTF.
func (k *kernel) reason(number uint32) string {
	if name, ok := k.reasons[number]; ok {
		return name
	}
	if subsystem := k.reasons[number&^0xffff]; number > 0xffff && subsystem != "" {
		return fmt.Sprintf("%s %d", subsystem, number&0xffff)
	}
	return fmt.Sprintf("reason %d", number)
}
