package drops

import (
	"encoding/binary"

	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// The maps of the program.
const (
	namespacesMap = "namespaces" // the inodes of those that it listens in
	endsMap       = "ends"       // the addresses of the flow
	ringMap       = "ring"       // the records
	lostMap       = "lost"       // how many records had no room
)

// programName is what the kernel calls it.
const programName = "netnscheck_drop"

// license is that of the program that is loaded. The kernel lets only programs under a license that is compatible with
// its own read its memory; what this file makes may therefore be used under the GPL, too.
const license = "Dual BSD/GPL"

// A record of the program: offsets in bytes.
const (
	recordPlace    = 0  // 8 bytes: the address of the code that dropped the packet
	recordReason   = 8  // 4 bytes
	recordNetns    = 12 // 4 bytes
	recordLink     = 16 // the name of the link
	linkSize       = 16 // IFNAMSIZ
	recordProtocol = 32 // 2 bytes: the ethertype, in the order of the network
	recordPacket   = 40 // the packet, from its network header on
	packetSize     = 96 // an IPv6 header, that of an ICMP error, and a second IPv6 header with 8 bytes behind it
	recordSize     = recordPacket + packetSize
)

// What the program keeps on its stack: offsets from the frame pointer.
const (
	stackWord    = -8  // 8 bytes, for one value at a time
	stackNetns   = -16 // 4 bytes: the inode
	stackDevice  = -24 // 8 bytes
	stackHead    = -32 // 8 bytes: where the packet's memory begins
	stackHeader  = -80 // headerSize bytes
	headerSize   = 48  // an IPv6 header and the first bytes behind it
	stackAddress = -96 // 16 bytes: an IPv4 address as one of IPv6
)

// Registers that calls leave as they are.
const (
	skb    = asm.R6
	place  = asm.R7
	reason = asm.R8
	header = asm.R9
)

// instructions are the program. The tracepoint's arguments are the packet, the place in the code and the reason. The
// memory of the packet is read by a helper that never faults, so a pointer that is none leads to nothing worse than a
// packet that is not heard.
func instructions(f fields) asm.Instructions {
	p := asm.Instructions{
		asm.LoadMem(skb, asm.R1, 0, asm.DWord),
		asm.LoadMem(place, asm.R1, 8, asm.DWord),
		asm.LoadMem(reason, asm.R1, 16, asm.DWord),
	}
	p = append(p, namespace(f)...)
	p = append(p, outerHeader(f)...)
	p = append(p, ours("outer", "inner")...)
	p = append(p, label("inner", innerHeader(f))...)
	p = append(p, ours("tunnelled", "exit")...)
	p = append(p, label("tell", tell(f))...)
	p = append(p, label("lose", lose())...)
	return append(p, label("exit", asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()})...)
}

func label(name string, p asm.Instructions) asm.Instructions {
	p[0] = p[0].WithSymbol(name)
	return p
}

// read copies bytes of the kernel's memory to the stack.
func read(to int16, size int32, from asm.Register, offset int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R3, from), // first, since it may be in R1
		asm.Add.Imm(asm.R3, offset),
		asm.Mov.Reg(asm.R1, asm.RFP),
		asm.Add.Imm(asm.R1, int32(to)),
		asm.Mov.Imm(asm.R2, size),
		asm.FnProbeReadKernel.Call(),
	}
}

// namespace goes on if the packet is in one of the namespaces: that of its device, or of its socket if it has none.
func namespace(f fields) asm.Instructions {
	p := read(stackDevice, 8, skb, f.skbDev)
	p = append(p, asm.LoadMem(asm.R1, asm.RFP, stackDevice, asm.DWord))
	p = append(p, known(f.devNet, f.netInode, "socket")...)
	p = append(p, asm.Ja.Label("namespace known"))
	// What stands for the device may be something else (the union in struct sk_buff): it is none of ours.
	p = append(p, label("socket", asm.Instructions{
		asm.Mov.Imm(asm.R1, 0),
		asm.StoreMem(asm.RFP, stackDevice, asm.R1, asm.DWord),
	})...)
	p = append(p, read(stackWord, 8, skb, f.skbSock)...)
	p = append(p, asm.LoadMem(asm.R1, asm.RFP, stackWord, asm.DWord))
	p = append(p, known(f.sockNet, f.netInode, "exit")...)
	return append(p, asm.Mov.Imm(asm.R0, 0).WithSymbol("namespace known"))
}

// known goes on if R1, a device or a socket, is in one of the namespaces, otherwise it jumps.
func known(netOffset, inodeOffset int32, otherwise string) asm.Instructions {
	p := asm.Instructions{asm.JEq.Imm(asm.R1, 0, otherwise)}
	p = append(p, read(stackWord, 8, asm.R1, netOffset)...)
	p = append(p, asm.LoadMem(asm.R1, asm.RFP, stackWord, asm.DWord))
	p = append(p, asm.JEq.Imm(asm.R1, 0, otherwise))
	p = append(p, read(stackNetns, 4, asm.R1, inodeOffset)...)
	p = append(p, lookup(namespacesMap, stackNetns)...)
	return append(p, asm.JEq.Imm(asm.R0, 0, otherwise))
}

// outerHeader reads the packet's own header, and tells of ARP whatever its addresses are.
func outerHeader(f fields) asm.Instructions {
	p := read(stackHead, 8, skb, f.skbHead)
	p = append(p, at(f.skbNetwork)...)
	p = append(p, read(stackWord, 2, skb, f.skbProtocol)...)
	return append(p,
		asm.LoadMem(asm.R1, asm.RFP, stackWord, asm.Half),
		asm.JEq.Imm(asm.R1, int32(network16(unix.ETH_P_ARP)), "tell"),
	)
}

// innerHeader reads the header inside of a tunnel, which the kernel remembers; there is none at 0.
func innerHeader(f fields) asm.Instructions {
	return append(read(stackWord, 2, skb, f.skbInner), append(asm.Instructions{
		asm.LoadMem(asm.R1, asm.RFP, stackWord, asm.Half),
		asm.JEq.Imm(asm.R1, 0, "exit"),
	}, at(f.skbInner)...)...)
}

// at reads the header whose offset in the packet's memory stands in a field.
func at(field int32) asm.Instructions {
	p := read(stackWord, 2, skb, field)
	p = append(p,
		asm.LoadMem(asm.R1, asm.RFP, stackWord, asm.Half),
		asm.LoadMem(header, asm.RFP, stackHead, asm.DWord),
		asm.Add.Reg(header, asm.R1),
	)
	return append(p, read(stackHeader, headerSize, header, 0)...)
}

// ours jumps to tell if the header has the address of an end, or asks for a neighbour by IPv6, otherwise elsewhere. Its
// labels begin with a name.
func ours(name, otherwise string) asm.Instructions {
	p := asm.Instructions{
		asm.LoadMem(asm.R1, asm.RFP, stackHeader, asm.Byte),
		asm.RSh.Imm(asm.R1, 4),
		asm.JEq.Imm(asm.R1, 6, name+" IPv6"),
		asm.JNE.Imm(asm.R1, 4, otherwise),
		// An IPv4 address is looked up as one of ::ffff:0.0.0.0/96, as netip.Addr.As16 has it.
		asm.Mov.Imm(asm.R1, 0),
		asm.StoreMem(asm.RFP, stackAddress, asm.R1, asm.DWord),
		asm.LoadImm(asm.R1, int64(binary.NativeEndian.Uint32([]byte{0, 0, 0xff, 0xff})), asm.DWord),
		asm.StoreMem(asm.RFP, stackAddress+8, asm.R1, asm.Word),
	}
	for _, offset := range []int16{12, 16} { // source and destination, RFC 791
		p = append(p,
			asm.LoadMem(asm.R1, asm.RFP, stackHeader+offset, asm.Word),
			asm.StoreMem(asm.RFP, stackAddress+12, asm.R1, asm.Word),
		)
		p = append(p, lookup(endsMap, stackAddress)...)
		p = append(p, asm.JNE.Imm(asm.R0, 0, "tell"))
	}
	p = append(p, asm.Ja.Label(otherwise))
	var six asm.Instructions
	for _, offset := range []int16{8, 24} { // RFC 8200
		six = append(six, lookup(endsMap, stackHeader+offset)...)
		six = append(six, asm.JNE.Imm(asm.R0, 0, "tell"))
	}
	return append(p, label(name+" IPv6", append(six,
		asm.LoadMem(asm.R1, asm.RFP, stackHeader+6, asm.Byte),
		asm.JNE.Imm(asm.R1, unix.IPPROTO_ICMPV6, otherwise),
		asm.LoadMem(asm.R1, asm.RFP, stackHeader+ipv6Header, asm.Byte),
		asm.JEq.Imm(asm.R1, neighbourSolicitation, "tell"),
		asm.JEq.Imm(asm.R1, neighbourAdvertisement, "tell"),
		asm.Ja.Label(otherwise),
	))...)
}

// lookup looks a key on the stack up in a map.
func lookup(in string, key int16) asm.Instructions {
	return asm.Instructions{
		asm.LoadMapPtr(asm.R1, 0).WithReference(in),
		asm.Mov.Reg(asm.R2, asm.RFP),
		asm.Add.Imm(asm.R2, int32(key)),
		asm.FnMapLookupElem.Call(),
	}
}

// tell writes a record.
func tell(f fields) asm.Instructions {
	record := asm.R7 // once the place is in the record, its register is free
	p := asm.Instructions{
		asm.LoadMapPtr(asm.R1, 0).WithReference(ringMap),
		asm.Mov.Imm(asm.R2, recordSize),
		asm.Mov.Imm(asm.R3, 0),
		asm.FnRingbufReserve.Call(),
		asm.JEq.Imm(asm.R0, 0, "lose"),
		asm.StoreMem(asm.R0, recordPlace, place, asm.DWord),
		asm.StoreMem(asm.R0, recordReason, reason, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, stackNetns, asm.Word),
		asm.StoreMem(asm.R0, recordNetns, asm.R1, asm.Word),
		asm.Mov.Reg(record, asm.R0),
	}
	p = append(p, into(record, recordProtocol, 2, skb, f.skbProtocol)...)
	p = append(p, into(record, recordPacket, packetSize, header, 0)...)
	p = append(p, asm.LoadMem(asm.R9, asm.RFP, stackDevice, asm.DWord)) // a read of no device fills the name with zeros
	p = append(p, into(record, recordLink, linkSize, asm.R9, f.devName)...)
	return append(p,
		asm.Mov.Reg(asm.R1, record),
		asm.Mov.Imm(asm.R2, 0),
		asm.FnRingbufSubmit.Call(),
		asm.Ja.Label("exit"),
	)
}

// into copies bytes of the kernel's memory into the record.
func into(record asm.Register, to, size int32, from asm.Register, offset int32) asm.Instructions {
	return asm.Instructions{
		asm.Mov.Reg(asm.R1, record),
		asm.Add.Imm(asm.R1, to),
		asm.Mov.Imm(asm.R2, size),
		asm.Mov.Reg(asm.R3, from),
		asm.Add.Imm(asm.R3, offset),
		asm.FnProbeReadKernel.Call(),
	}
}

// lose counts a drop for which the buffer had no room.
func lose() asm.Instructions {
	p := asm.Instructions{
		asm.Mov.Imm(asm.R1, 0),
		asm.StoreMem(asm.RFP, stackWord, asm.R1, asm.Word),
	}
	p = append(p, lookup(lostMap, stackWord)...)
	return append(p,
		asm.JEq.Imm(asm.R0, 0, "exit"),
		asm.Mov.Imm(asm.R1, 1),
		asm.AddAtomic.Mem(asm.R0, asm.R1, asm.DWord, 0),
	)
}

// network16 is a number as a processor reads it that stands in the order of the network.
func network16(n uint16) uint16 {
	return binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, n))
}
